//! What applications last had, where no artifact says what is in force.
//!
//! It is looked for once. While such an application stays invalid, only the commits that came since are looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use crate::{
    istio::{
        applications::{Applications, File},
        guarded::Guarded,
        plan::{ApplicationId, Resource, Setting, valid},
    },
    source::{SourceError, ancestry::CommitId, git::CommitLog},
};

/// The commits among which the last valid one of an application is looked for.
const MOST: usize = 200;

/// What was found before a commit.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    before: Option<CommitId>,
    /// The guardrails by which applications were valid or not.
    guarded: Guarded,
    /// The objects of each application that was looked for; none if it was valid at no commit.
    found: BTreeMap<ApplicationId, Option<Vec<Resource>>>,
}

impl Earlier {
    /// The objects that these applications had at the newest commit before `head` at which they were valid. Blocks.
    pub(super) fn look(
        &mut self,
        head: CommitId,
        guarded: &Guarded,
        wanted: &BTreeSet<ApplicationId>,
        commits: &CommitLog,
        setting: &Setting,
    ) -> Result<Vec<(ApplicationId, Vec<Resource>)>, SourceError> {
        if self.guarded != *guarded {
            *self = Self { guarded: guarded.clone(), ..Self::default() };
        }
        self.found.retain(|id, _| wanted.contains(id));
        let search = |wanted: BTreeSet<ApplicationId>, until| {
            Search { wanted, until, guarded, commits, setting }.run(head)
        };
        let known: BTreeSet<_> = self.found.keys().cloned().collect();
        if !known.is_empty() && self.before != Some(head) {
            match search(known, self.before)? {
                Some(newer) => self.found.extend(newer.into_iter().map(|(id, objects)| (id, Some(objects)))),
                // These commits are no longer before this one.
                None => self.found.clear(),
            }
        }
        let new: BTreeSet<_> = wanted.iter().filter(|id| !self.found.contains_key(*id)).cloned().collect();
        if !new.is_empty() {
            let mut found = search(new.clone(), None)?.unwrap_or_default();
            self.found.extend(new.into_iter().map(|id| (id.clone(), found.remove(&id))));
        }
        self.before = Some(head);
        let found = self.found.iter();
        Ok(found.filter_map(|(id, objects)| Some((id.clone(), objects.clone()?))).collect())
    }
}

/// A search for the last valid commits of applications.
struct Search<'a> {
    wanted: BTreeSet<ApplicationId>,
    /// The commit at which it ends.
    until: Option<CommitId>,
    guarded: &'a Guarded,
    commits: &'a CommitLog,
    setting: &'a Setting,
}

impl Search<'_> {
    /// What was found before `head`; `None` if the commit at which it should end is not among those before.
    fn run(mut self, head: CommitId) -> Result<Option<BTreeMap<ApplicationId, Vec<Resource>>>, SourceError> {
        let mut found = BTreeMap::new();
        let visit = |files| {
            let applications = Applications { files, guarded: self.guarded.clone() };
            for (id, objects) in valid(&self.wanted, &applications, self.setting) {
                self.wanted.remove(&id);
                found.insert(id, objects);
            }
            if self.wanted.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let is_met = self.commits.back(head, MOST, self.until, File::read, visit)?;
        let is_all = is_met || self.until.is_none() || self.wanted.is_empty();
        Ok(is_all.then_some(found))
    }
}
