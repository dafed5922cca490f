//! The time when each document got its present content.
//!
//! A duration counts from the committer time of the first-parent commit of the branch that gave the document
//! its present content. The content is the parsed document under its name; comments, layout and the name of
//! the file do not count. So every replica and every restart finds the same time.
//!
//! A commit was there before those that follow it. So where a later one of the branch is dated earlier, the document
//! counts from that time: the clock that is ahead lengthens nothing.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use git2::{Commit, Oid, Repository as BareClone};
use policies::{File, Policy, Timestamp, language::PolicyName, repository::Start};

use super::{
    budget::{Cost, ReadError},
    directory::{Change, Directory},
    objects,
    tree::policy_directory,
};
use crate::source::checkout::BlobId;

#[cfg(test)]
mod tests;

/// The bytes of earlier files that are kept during a walk through the history.
const MAX_BYTES: usize = 8 << 20;

/// The start times that are known at a commit.
#[derive(Clone, Debug, Default)]
pub struct DocumentTimes {
    starts: HashMap<PolicyName, (Arc<Policy>, Start)>,
}

impl DocumentTimes {
    /// The time when the document of this policy got its content.
    pub fn of(&self, policy: &Policy) -> Option<Start> {
        let is_same = |known: &Policy| std::ptr::eq(known, policy) || known == policy;
        self.starts.get(&policy.name).filter(|(known, _)| is_same(known)).map(|(_, start)| *start)
    }
}

/// Walks back from `tip` and its policy directory until the start of every wanted document is found. Reuses the
/// result of an earlier tip from there on.
pub(super) fn find(
    clone: &BareClone,
    (tip, directory): (Oid, Option<Arc<Directory>>),
    path: &Path,
    wanted: Vec<Arc<Policy>>,
    known: Option<(Oid, &DocumentTimes)>,
    known_file: impl Fn(&BlobId) -> Option<Arc<File>>,
) -> Result<DocumentTimes, ReadError> {
    let mut history = History { clone, known_file, files: HashMap::new(), bytes: 0 };
    let mut times = DocumentTimes::default();
    let mut open: BTreeMap<_, _> = wanted.into_iter().map(|policy| (policy.name.clone(), policy)).collect();
    let (mut commit, mut directory) = (objects::commit(clone, tip)?, directory);
    // The earliest date from the tip to here.
    let mut earliest = committed_at(&commit);
    while !open.is_empty() {
        earliest = earliest.min(committed_at(&commit));
        if let Some((_, known)) = known.filter(|(at, _)| *at == commit.id()) {
            open.retain(|name, policy| {
                let start = known.of(policy).map(|start| start.known_at(earliest));
                times.starts.extend(start.map(|start| (name.clone(), (Arc::clone(policy), start))));
                start.is_none()
            });
        }
        let (parent, before) = readable_parent(clone, &commit, path, directory.as_ref())?;
        for policy in history.arrivals(before.as_deref(), directory.as_deref(), &open)? {
            open.remove(&policy.name);
            let start = Start::from(committed_at(&commit)).known_at(earliest);
            times.starts.insert(policy.name.clone(), (policy, start));
        }
        match parent {
            Some(parent) => (commit, directory) = (parent, before),
            None => break,
        }
    }
    Ok(times)
}

/// The nearest commit before this one whose policy directory is within the limits, and that directory. Others were
/// never served.
fn readable_parent<'r>(
    clone: &'r BareClone,
    commit: &Commit<'_>,
    path: &Path,
    directory: Option<&Arc<Directory>>,
) -> Result<(Option<Commit<'r>>, Option<Arc<Directory>>), ReadError> {
    let mut next = commit.parent_ids().next();
    while let Some(id) = next {
        let parent = objects::commit(clone, id)?;
        let root = objects::root(clone, &parent);
        match root.and_then(|root| policy_directory(clone, &root, path, directory, &mut Cost::default())) {
            Ok(before) => return Ok((Some(parent), before)),
            Err(ReadError::Over(_)) => next = parent.parent_ids().next(),
            Err(error) => return Err(error),
        }
    }
    Ok((None, None))
}

pub(super) fn committed_at(commit: &Commit<'_>) -> Timestamp {
    Timestamp::from_millis(u64::try_from(commit.time().seconds()).unwrap_or(0).saturating_mul(1_000))
}

/// The first-parent history of the policy directory.
struct History<'a, K> {
    clone: &'a BareClone,
    known_file: K,
    /// Files that were read already: most are the same from commit to commit.
    files: HashMap<Oid, Arc<File>>,
    /// The bytes of those files.
    bytes: usize,
}

impl<K: Fn(&BlobId) -> Option<Arc<File>>> History<'_, K> {
    /// The documents among `open` that a commit added: they stand in a file that it changed, and in none before.
    fn arrivals(
        &mut self,
        before: Option<&Directory>,
        after: Option<&Directory>,
        open: &BTreeMap<PolicyName, Arc<Policy>>,
    ) -> Result<Vec<Arc<Policy>>, ReadError> {
        let change = Change::between(before, after);
        let is_open = |policy: &Arc<Policy>| open.get(&policy.name).is_some_and(|open| open == policy);
        let mut arrived = self.documents(change.after, is_open)?;
        if arrived.is_empty() {
            return Ok(arrived);
        }
        let touched = self.documents(change.before, is_open)?;
        arrived.retain(|policy| !touched.contains(policy));
        if let Some(before) = before.filter(|_| !arrived.is_empty()) {
            // A copy that stood in a file which this commit left alone.
            let names: HashSet<_> = arrived.iter().map(|policy| policy.name.clone()).collect();
            let is_named = |policy: &Arc<Policy>| names.contains(&policy.name);
            let elsewhere = self.documents(Change::between(None, Some(before)).after, is_named)?;
            arrived.retain(|policy| !elsewhere.contains(policy));
        }
        Ok(arrived)
    }

    /// The wanted documents of some files. The same file is read once, however many paths lead to it.
    fn documents(
        &mut self,
        mut blobs: Vec<Oid>,
        is_wanted: impl Fn(&Arc<Policy>) -> bool,
    ) -> Result<Vec<Arc<Policy>>, ReadError> {
        blobs.sort_unstable();
        blobs.dedup();
        let mut policies = Vec::new();
        for id in blobs {
            let file = self.file(id)?;
            let documents = file.documents.iter().map(|declared| &declared.policy);
            policies.extend(documents.filter(|policy| is_wanted(policy)).cloned());
        }
        Ok(policies)
    }

    fn file(&mut self, id: Oid) -> Result<Arc<File>, ReadError> {
        if let Some(known) =
            (self.known_file)(&BlobId::of_object(id.as_bytes())).or_else(|| self.files.get(&id).cloned())
        {
            return Ok(known);
        }
        if self.bytes >= MAX_BYTES {
            self.files.clear();
            self.bytes = 0;
        }
        let content = objects::content(self.clone, id)?;
        // Even a file without a byte takes memory.
        self.bytes += content.len() + 256;
        let file = Arc::new(File::read(&content));
        self.files.insert(id, Arc::clone(&file));
        Ok(file)
    }
}
