//! The last commits that changed some documents, by one walk for all of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow::{Break, Continue},
};

use git2::{Oid, Repository as BareClone};
use policies::{File, editing, language::PolicyName};

use super::{Change, ChangeCommit, DocumentHistory, MAX_COMMITS, ReadError, Writer, objects, told};
use crate::source::{ancestry::CommitId, error::SourceError};

/// Documents as they are written, in order.
type Written = BTreeMap<PolicyName, BTreeSet<String>>;

impl Writer {
    /// For each of these policies, the last of the first-parent commits up to `tip`, which is stored, that changed it.
    pub fn last_changes(
        &self,
        tip: CommitId,
        names: &BTreeSet<PolicyName>,
    ) -> Result<BTreeMap<PolicyName, ChangeCommit>, SourceError> {
        self.source.document_history().last_changes(tip, None, names)
    }
}

impl DocumentHistory {
    /// For each of these policies, the last of the first-parent commits from `tip` back to `known`, itself left out,
    /// that changed it; none for those that changed before, or that changed too long ago. Blocks.
    pub fn last_changes(
        &self,
        tip: CommitId,
        known: Option<CommitId>,
        names: &BTreeSet<PolicyName>,
    ) -> Result<BTreeMap<PolicyName, ChangeCommit>, SourceError> {
        let read = || -> Result<_, ReadError> {
            let clone = BareClone::open_bare(&self.clone)?;
            let known = known.map(|CommitId(id)| Oid::from_bytes(&id)).transpose()?;
            let (tip, mut found) = (Oid::from_bytes(&tip.0)?, BTreeMap::new());
            if names.is_empty() || Some(tip) == known {
                return Ok(found);
            }
            self.back_from(&clone, tip, MAX_COMMITS, |commit, Change { before, after }| {
                if Some(commit.id()) == known {
                    return Ok(Break(()));
                }
                let is_open = |name: &PolicyName| names.contains(name) && !found.contains_key(name);
                let was = written(&clone, before, is_open)?;
                let is = written(&clone, after, is_open)?;
                let touched: BTreeSet<_> = was.keys().chain(is.keys()).collect();
                let changed = touched.into_iter().filter(|name| was.get(*name) != is.get(*name));
                let changed: Vec<_> = changed.map(|name| (name.clone(), ChangeCommit::of(commit))).collect();
                found.extend(changed);
                Ok(if found.len() == names.len() { Break(()) } else { Continue(()) })
            })?;
            Ok(found)
        };
        read().map_err(|error| told("cannot read the history", &error))
    }
}

/// All that is written in some files under the names that are asked for. What is not valid counts as the whole file.
fn written(
    clone: &BareClone,
    mut blobs: Vec<Oid>,
    is_asked: impl Fn(&PolicyName) -> bool,
) -> Result<Written, ReadError> {
    blobs.sort_unstable();
    blobs.dedup();
    let mut written = Written::new();
    for id in blobs {
        let content = objects::content(clone, id)?;
        let file = File::read(&content);
        let names: BTreeSet<_> =
            file.policy_names().map(|(name, _)| name).filter(|name| is_asked(name)).collect();
        let mut documents = editing::find_all(&content, &names);
        for name in names {
            let document = documents.remove(name);
            let text = document.map_or_else(|| id.to_string(), |document| document.to_json());
            written.entry(name.clone()).or_default().insert(text);
        }
    }
    Ok(written)
}
