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

use git2::{Commit, Delta, DiffOptions, Error, Oid, Repository as Clone, Tree};
use policies::{Policy, Timestamp, file::File, name::PolicyName};

use super::tree::folder;
use crate::source::{BlobId, is_policy_file};

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
    mut read: impl FnMut(BlobId, &[u8]) -> Arc<File>,
) -> Result<Origins, Error> {
    let mut origins = Origins { at: Some(tip), starts: HashMap::new() };
    let mut open: BTreeMap<_, _> = wanted.into_iter().map(|policy| (policy.name.clone(), policy)).collect();
    let mut documents = |ids: &[Oid]| -> Result<Vec<Arc<Policy>>, Error> {
        let mut policies = Vec::new();
        for id in ids {
            let blob = clone.find_blob(*id)?;
            let file = read(BlobId::of_object(id.as_bytes()), blob.content());
            policies.extend(file.documents.iter().map(|declared| Arc::clone(&declared.policy)));
        }
        Ok(policies)
    };
    let mut commit = clone.find_commit(tip)?;
    while !open.is_empty() {
        if known.at == Some(commit.id()) {
            open.retain(|name, policy| match known.of(policy) {
                Some(start) => {
                    origins.starts.insert(name.clone(), (Arc::clone(policy), start));
                    false
                }
                None => true,
            });
        }
        let parent = match commit.parent_count() {
            0 => None,
            _ => Some(commit.parent(0)?),
        };
        let change = change(clone, &commit, parent.as_ref(), path)?;
        let after = documents(&change.after)?;
        let before = documents(&change.before)?;
        for policy in after {
            // The commit touched its file; unless the same document stood there or elsewhere before,
            // this is where it comes from.
            let came_here =
                open.get(&policy.name).is_some_and(|open| *open == policy) && !before.contains(&policy);
            if came_here {
                open.remove(&policy.name);
                origins.starts.insert(policy.name.clone(), (policy, committed_at(&commit)));
            }
        }
        match parent {
            Some(parent) => commit = parent,
            None => break,
        }
    }
    Ok(origins)
}

fn committed_at(commit: &Commit<'_>) -> Timestamp {
    Timestamp::from_millis(u64::try_from(commit.time().seconds()).unwrap_or(0).saturating_mul(1_000))
}

/// What a commit did to the policy files below `path`, against its first parent.
fn change(
    clone: &Clone,
    commit: &Commit<'_>,
    parent: Option<&Commit<'_>>,
    path: &Path,
) -> Result<Change, Error> {
    let tree = |commit: &Commit<'_>| -> Result<Option<Tree<'_>>, Error> {
        folder(clone, &clone.find_tree(commit.tree_id())?, path)
    };
    let (new, old) = (tree(commit)?, parent.map(tree).transpose()?.flatten());
    let mut options = DiffOptions::new();
    options.skip_binary_check(true).ignore_submodules(true);
    let diff = clone.diff_tree_to_tree(old.as_ref(), new.as_ref(), Some(&mut options))?;
    let mut change = Change::default();
    for delta in diff.deltas() {
        let named = |path: Option<&Path>| {
            path.and_then(Path::to_str).is_some_and(|path| {
                let mut parts = path.rsplit('/');
                parts.next().is_some_and(is_policy_file) && !parts.any(crate::source::is_hidden)
            })
        };
        if !named(delta.new_file().path()) {
            continue;
        }
        if delta.status() != Delta::Added {
            change.before.push(delta.old_file().id());
        }
        if delta.status() != Delta::Deleted {
            change.after.push(delta.new_file().id());
        }
    }
    Ok(change)
}
