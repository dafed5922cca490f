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

/// The most that is remembered of earlier files, in references to names: about 10 MiB in all. A file takes as much as
/// [`OF_FILE`] of them, beside one for each wanted document in it. There is room for more files than a commit may have.
/// Tests remember less.
const MOST: usize = if cfg!(test) { 2 * OF_FILE } else { 1 << 20 };
const OF_FILE: usize = 8;

/// Documents by name.
pub(super) type Documents<'a> = BTreeMap<&'a PolicyName, &'a Policy>;

/// The files of a history, of which most are the same from commit to commit.
pub(super) struct Files<'a, K> {
    clone: &'a BareClone,
    /// The documents that are looked for.
    wanted: Documents<'a>,
    /// Files that are known without reading.
    known_file: K,
    deadline: Deadline,
    /// The wanted documents that stand in each file. A file is read once for all commits, and its text is not kept.
    standing: HashMap<Oid, Box<[&'a PolicyName]>>,
    /// The size of that, in references to names.
    remembered: usize,
}

impl<'a, K: Fn(&BlobId) -> Option<Arc<File>>> Files<'a, K> {
    pub(super) fn new(
        clone: &'a BareClone,
        wanted: Documents<'a>,
        known_file: K,
        deadline: Deadline,
    ) -> Self {
        Self { clone, wanted, known_file, deadline, standing: HashMap::new(), remembered: 0 }
    }

    /// The documents among `open` that a commit added: they stand in a file that it changed, and in none before.
    pub(super) fn arrivals(
        &mut self,
        before: Option<&Directory>,
        after: Option<&Directory>,
        open: &Documents<'a>,
    ) -> Result<HashSet<&'a PolicyName>, TimesError> {
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

    /// The documents among `open` that stand in some files, with the same content.
    fn present(
        &mut self,
        blobs: Vec<Oid>,
        open: &Documents<'a>,
    ) -> Result<HashSet<&'a PolicyName>, TimesError> {
        let mut names = HashSet::new();
        for id in blobs {
            names.extend(self.standing(id)?.iter().copied().filter(|name| open.contains_key(name)));
        }
        Ok(names)
    }

    /// The wanted documents that stand in a file.
    fn standing(&mut self, id: Oid) -> Result<&[&'a PolicyName], TimesError> {
        if !self.standing.contains_key(&id) {
            if self.remembered >= MOST {
                self.standing.clear();
                self.remembered = 0;
            }
            let file = self.file(id)?;
            let documents = file.documents.iter().map(|parsed| &*parsed.policy);
            let standing = documents.filter_map(|policy| {
                let (name, wanted) = self.wanted.get_key_value(&policy.name)?;
                (*wanted == policy).then_some(*name)
            });
            let standing: Box<[_]> = standing.collect();
            self.remembered += OF_FILE + standing.len();
            self.standing.insert(id, standing);
        }
        Ok(self.standing.get(&id).map(|standing| &**standing).unwrap_or_default())
    }

    fn file(&self, id: Oid) -> Result<Arc<File>, TimesError> {
        match (self.known_file)(&BlobId::of_object(id.as_bytes())) {
            Some(known) => Ok(known),
            None => {
                self.deadline.check()?;
                Ok(Arc::new(File::read(&objects::content(self.clone, id)?)))
            }
        }
    }
}
