//! When documents got their present content.
//!
//! A duration counts from the committer time of the first-parent commit of the branch that gave the
//! document its present content. What counts as content is the parsed document under its name:
//! comments, layout and the file that it stands in do not. So every replica and every restart agrees.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

use git2::{Commit, DiffFile, DiffOptions, Error, FileMode, Oid, Repository as Clone, Tree};
use policies::{Policy, Timestamp, file::File, name::PolicyName};

use super::tree::{content, folder};
use crate::source::{BlobId, is_policy_path};

/// The starts that are known at a commit.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    at: Option<Oid>,
    starts: HashMap<PolicyName, (Arc<Policy>, Timestamp)>,
}

impl Origins {
    /// When the document of this policy got its content.
    pub fn of(&self, policy: &Policy) -> Option<Timestamp> {
        self.starts.get(&policy.name).filter(|(known, _)| **known == *policy).map(|(_, start)| *start)
    }
}

/// The policy files that a commit changed: what they were and what they became.
#[derive(Default)]
struct Change {
    before: Vec<Oid>,
    after: Vec<Oid>,
}

/// Walks back from `tip` until the start of every document wanted is found. What was found for an
/// earlier tip is taken over from there on.
pub(super) fn find(
    clone: &Clone,
    tip: Oid,
    path: &Path,
    wanted: Vec<Arc<Policy>>,
    known: &Origins,
    read: impl FnMut(BlobId, &[u8]) -> Arc<File>,
) -> Result<Origins, Error> {
    let mut history = History { clone, path, read, files: HashMap::new() };
    let mut origins = Origins { at: Some(tip), starts: HashMap::new() };
    let mut open: BTreeMap<_, _> = wanted.into_iter().map(|policy| (policy.name.clone(), policy)).collect();
    let mut commit = clone.find_commit(tip)?;
    while !open.is_empty() {
        if known.at == Some(commit.id()) {
            open.retain(|name, policy| {
                let start = known.of(policy);
                origins.starts.extend(start.map(|start| (name.clone(), (Arc::clone(policy), start))));
                start.is_none()
            });
        }
        let parent = if commit.parent_count() == 0 { None } else { Some(commit.parent(0)?) };
        for policy in history.arrivals(&commit, parent.as_ref(), &open)? {
            open.remove(&policy.name);
            origins.starts.insert(policy.name.clone(), (policy, committed_at(&commit)));
        }
        match parent {
            Some(parent) => commit = parent,
            None => break,
        }
    }
    Ok(origins)
}

pub(super) fn committed_at(commit: &Commit<'_>) -> Timestamp {
    Timestamp::from_millis(u64::try_from(commit.time().seconds()).unwrap_or(0).saturating_mul(1_000))
}

/// The first-parent history of the policy folder.
struct History<'a, R> {
    clone: &'a Clone,
    path: &'a Path,
    read: R,
    /// What was read already: most files are the same from commit to commit.
    files: HashMap<Oid, Arc<File>>,
}

impl<R: FnMut(BlobId, &[u8]) -> Arc<File>> History<'_, R> {
    /// The documents among those `open` that this commit brought: they stand in a file that it
    /// touched, and stood nowhere before.
    fn arrivals(
        &mut self,
        commit: &Commit<'_>,
        parent: Option<&Commit<'_>>,
        open: &BTreeMap<PolicyName, Arc<Policy>>,
    ) -> Result<Vec<Arc<Policy>>, Error> {
        let change = self.change(commit, parent)?;
        let is_open = |policy: &Arc<Policy>| open.get(&policy.name).is_some_and(|open| open == policy);
        let mut arrived = self.documents(&change.after)?;
        arrived.retain(is_open);
        let before = self.documents(&change.before)?;
        arrived.retain(|policy| !before.contains(policy));
        if let Some(parent) = parent.filter(|_| !arrived.is_empty()) {
            // A copy that stood in a file which this commit left alone.
            let names: Vec<_> = arrived.iter().map(|policy| &policy.name).collect();
            let elsewhere = self.documents_named(parent, &names)?;
            arrived.retain(|policy| !elsewhere.contains(policy));
        }
        Ok(arrived)
    }

    fn documents(&mut self, blobs: &[Oid]) -> Result<Vec<Arc<Policy>>, Error> {
        let mut policies = Vec::new();
        for id in blobs {
            policies.extend(self.file(*id)?.documents.iter().map(|declared| Arc::clone(&declared.policy)));
        }
        Ok(policies)
    }

    fn file(&mut self, id: Oid) -> Result<Arc<File>, Error> {
        if let Some(known) = self.files.get(&id) {
            return Ok(Arc::clone(known));
        }
        let file = (self.read)(BlobId::of_object(id.as_bytes()), &content(self.clone, id)?);
        self.files.insert(id, Arc::clone(&file));
        Ok(file)
    }

    /// The documents of a commit that have one of these names.
    fn documents_named(
        &mut self,
        commit: &Commit<'_>,
        names: &[&PolicyName],
    ) -> Result<Vec<Arc<Policy>>, Error> {
        let everything = self.diff(None, self.tree(commit)?.as_ref())?;
        let mut documents = self.documents(&everything.after)?;
        documents.retain(|policy| names.contains(&&policy.name));
        Ok(documents)
    }

    fn tree(&self, commit: &Commit<'_>) -> Result<Option<Tree<'_>>, Error> {
        folder(self.clone, &self.clone.find_tree(commit.tree_id())?, self.path)
    }

    /// What a commit did to the policy files, against its first parent.
    fn change(&self, commit: &Commit<'_>, parent: Option<&Commit<'_>>) -> Result<Change, Error> {
        let old = parent.map(|parent| self.tree(parent)).transpose()?.flatten();
        self.diff(old.as_ref(), self.tree(commit)?.as_ref())
    }

    fn diff(&self, old: Option<&Tree<'_>>, new: Option<&Tree<'_>>) -> Result<Change, Error> {
        let mut options = DiffOptions::new();
        options.skip_binary_check(true);
        let diff = self.clone.diff_tree_to_tree(old, new, Some(&mut options))?;
        // Submodules and symbolic links are no policy files, whatever they are called.
        let policy_file = |file: DiffFile<'_>| {
            let regular = matches!(file.mode(), FileMode::Blob | FileMode::BlobExecutable);
            let named = file.path().and_then(Path::to_str).is_some_and(is_policy_path);
            (regular && named).then(|| file.id())
        };
        let mut change = Change::default();
        for delta in diff.deltas() {
            change.before.extend(policy_file(delta.old_file()));
            change.after.extend(policy_file(delta.new_file()));
        }
        Ok(change)
    }
}
