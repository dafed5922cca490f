//! The surroundings of an entry, and the warnings of its readers.

use std::cell::RefCell;

use policies::reading::Cursor;

use crate::{finding::Finding, values::Label};

/// The warnings that reading a file has given: what is valid, and probably not meant.
#[derive(Debug, Default)]
pub(super) struct Notes(RefCell<Vec<Finding>>);

impl Notes {
    /// Warns about a field.
    pub(super) fn warn(&self, rule: &'static str, field: &Cursor<'_>, reason: &str) {
        self.0.borrow_mut().push(Finding::warning(rule, field.path(), reason).at(field.place()));
    }

    pub(super) fn take(&self) -> Vec<Finding> {
        self.0.take()
    }
}

/// The surroundings of an entry that its reader may need.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub(super) namespace: &'a Label,
    pub(super) notes: &'a Notes,
    /// The `namespaces` of the entry.
    pub(super) namespaces: Option<&'a [String]>,
}

impl<'a> Scope<'a> {
    /// The surroundings of a document's entries.
    pub(super) fn new(namespace: &'a Label, notes: &'a Notes) -> Self {
        Self { namespace, notes, namespaces: None }
    }

    /// True if the namespaces of the entry are given, and are the own one alone.
    pub(super) fn is_exported_to_own_only(&self) -> bool {
        matches!(self.namespaces, Some([one]) if one == "." || one == self.namespace.as_str())
    }
}
