//! The time when each document got its present content.
//!
//! A duration counts from the committer time of the first-parent commit of the branch that gave the document
//! its present content. The content is the parsed document under its name; comments, layout and the name of
//! the file do not count. So every replica and every restart finds the same time.
//!
//! A commit was there before those that follow it. So where a later one of the branch is dated earlier, the document
//! counts from that time: the clock that is ahead lengthens nothing.

mod arrivals;
mod deadline;
pub(super) mod job;
pub(super) mod walk;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use git2::Commit;
use policies::{Policy, Timestamp, language::PolicyName, repository::Start};

pub(super) use self::deadline::{Deadline, TimesError};

#[cfg(test)]
mod tests;

/// The start times that are known at a commit.
#[derive(Clone, Debug, Default)]
pub struct DocumentTimes {
    starts: HashMap<PolicyName, (Arc<Policy>, Start)>,
}

/// Start times by the names of documents, all of one commit.
pub(super) type Starts = BTreeMap<PolicyName, Start>;

impl DocumentTimes {
    /// Those of the policies at a commit whose starts were found.
    pub(super) fn new(policies: Vec<Arc<Policy>>, starts: &Starts) -> Self {
        let found = |policy: Arc<Policy>| {
            let start = *starts.get(&policy.name)?;
            Some((policy.name.clone(), (policy, start)))
        };
        Self { starts: policies.into_iter().filter_map(found).collect() }
    }

    /// The time when the document of this policy got its content.
    pub fn of(&self, policy: &Policy) -> Option<Start> {
        let is_same = |known: &Policy| std::ptr::eq(known, policy) || known == policy;
        self.starts.get(&policy.name).filter(|(known, _)| is_same(known)).map(|(_, start)| *start)
    }

    /// The starts of those of these policies that have the same content at this commit.
    pub(super) fn of_all(&self, policies: &[Arc<Policy>]) -> Starts {
        policies.iter().filter_map(|policy| Some((policy.name.clone(), self.of(policy)?))).collect()
    }
}

pub(super) fn committed_at(commit: &Commit<'_>) -> Timestamp {
    Timestamp::from_millis(u64::try_from(commit.time().seconds()).unwrap_or(0).saturating_mul(1_000))
}
