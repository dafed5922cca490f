//! The documents that a commit brought.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use git2::{Oid, Repository as BareClone};
use policies::{File, Policy, language::PolicyName};

use super::deadline::{Deadline, TimesError};
use crate::source::{
    checkout::BlobId,
    git::{
        directory::{Change, Directory},
        objects,
    },
};

/// The bytes of earlier files that are kept during a walk through the history.
const MAX_BYTES: usize = 8 << 20;

/// Documents whose start is not found yet, by name.
pub(super) type Open<'a> = BTreeMap<&'a PolicyName, &'a Policy>;

/// The files of a history, of which most are the same from commit to commit.
pub(super) struct Files<'a, K> {
    clone: &'a BareClone,
    /// Files that are known without reading.
    known_file: K,
    deadline: Deadline,
    files: HashMap<Oid, Arc<File>>,
    /// The bytes of those files.
    bytes: usize,
}

impl<'a, K: Fn(&BlobId) -> Option<Arc<File>>> Files<'a, K> {
    pub(super) fn new(clone: &'a BareClone, known_file: K, deadline: Deadline) -> Self {
        Self { clone, known_file, deadline, files: HashMap::new(), bytes: 0 }
    }

    /// The documents among `open` that a commit added: they stand in a file that it changed, and in none before.
    pub(super) fn arrivals(
        &mut self,
        before: Option<&Directory>,
        after: Option<&Directory>,
        open: &Open<'_>,
    ) -> Result<HashSet<PolicyName>, TimesError> {
        let change = Change::between(before, after);
        let mut arrived = self.present(change.after, open)?;
        if arrived.is_empty() {
            return Ok(arrived);
        }
        let touched = self.present(change.before, open)?;
        arrived.retain(|name| !touched.contains(name));
        if let Some(before) = before.filter(|_| !arrived.is_empty()) {
            // A copy that stood in a file which this commit left alone.
            let elsewhere = self.present(Change::between(None, Some(before)).after, open)?;
            arrived.retain(|name| !elsewhere.contains(name));
        }
        Ok(arrived)
    }

    /// The documents among `open` that stand in some files, with the same content. The same file is read once, however
    /// many paths lead to it.
    fn present(&mut self, mut blobs: Vec<Oid>, open: &Open<'_>) -> Result<HashSet<PolicyName>, TimesError> {
        blobs.sort_unstable();
        blobs.dedup();
        let mut names = HashSet::new();
        for id in blobs {
            let file = self.file(id)?;
            let documents = file.documents.iter().map(|parsed| &*parsed.policy);
            let present =
                documents.filter(|policy| open.get(&policy.name).is_some_and(|open| open == policy));
            names.extend(present.map(|policy| policy.name.clone()));
        }
        Ok(names)
    }

    fn file(&mut self, id: Oid) -> Result<Arc<File>, TimesError> {
        let known = (self.known_file)(&BlobId::of_object(id.as_bytes()));
        if let Some(known) = known.or_else(|| self.files.get(&id).cloned()) {
            return Ok(known);
        }
        self.deadline.check()?;
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
