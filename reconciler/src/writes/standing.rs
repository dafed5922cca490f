//! The policies that a request concerns, as they stand in a branch before it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use policies::{
    Digest,
    editing::{self, Document},
    language::PolicyName,
};

use super::{branch::Branch, outcome::Refusal};
use crate::source::writing::Writer;

/// The policies of some names, and the files that they stand in. Each file is read and divided once.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// The files and lines of each name, also of documents that are not valid.
    places: BTreeMap<PolicyName, Vec<(Arc<str>, u32)>>,
    files: BTreeMap<Arc<str>, Standings>,
}

/// A file that some of them stand in.
#[derive(Debug)]
struct Standings {
    content: Vec<u8>,
    /// The valid ones.
    documents: BTreeMap<PolicyName, Document>,
}

impl Standing {
    pub(super) fn of(writer: &Writer, branch: &Branch, names: &[PolicyName]) -> Result<Self, Refusal> {
        let mut standing = Self { places: branch.places_of(names), ..Self::default() };
        let mut by_file = BTreeMap::<_, BTreeSet<_>>::new();
        for (name, places) in &standing.places {
            for (file, _) in places {
                by_file.entry(file).or_default().insert(name);
            }
        }
        for (file, names) in by_file {
            let content = writer.file(branch.commit, file);
            let content =
                content.map_err(|error| Refusal::Unavailable(error.to_string()))?.unwrap_or_default();
            // Most requests are for one of many in a file.
            let documents = match names.len() {
                1 => names
                    .iter()
                    .filter_map(|name| Some(((*name).clone(), editing::find(&content, name)?)))
                    .collect(),
                _ => editing::find_all(&content, &names),
            };
            standing.files.insert(Arc::clone(file), Standings { content, documents });
        }
        Ok(standing)
    }

    pub(super) fn places(&self, name: &PolicyName) -> &[(Arc<str>, u32)] {
        self.places.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The content of a file that some of them stand in.
    pub(super) fn content(&self, file: &str) -> &[u8] {
        self.files.get(file).map(|standings| standings.content.as_slice()).unwrap_or_default()
    }

    /// The valid policy of this name in a file.
    pub(super) fn document(&self, file: &str, name: &PolicyName) -> Option<&Document> {
        self.files.get(file)?.documents.get(name)
    }

    /// A text that differs when the policy of this name does. To move it to another file is no change.
    pub(super) fn print(&self, name: &PolicyName) -> String {
        let print = |(file, _): &(Arc<str>, u32)| print_of(self.document(file, name), self.content(file));
        self.places(name).iter().map(print).collect()
    }
}

/// A text that differs when a policy in a file does: its own content, or that of the file if it is not valid.
pub(super) fn print_of(document: Option<&Document>, content: &[u8]) -> String {
    document.map_or_else(|| Digest::of(content).to_string(), Document::to_json) + "\n"
}
