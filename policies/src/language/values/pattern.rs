//! Regexes as they are written, and compiled.

#[cfg(feature = "authoring")]
mod written;

use std::sync::Arc;

#[cfg(feature = "authoring")]
pub use self::written::PatternError;
#[cfg(feature = "authoring")]
use super::{lazy_size::LazySize, regex_source};
use crate::automaton::Automaton;

/// A regex of Rust's `regex` crate, and its automaton.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// Empty if it came in a snapshot.
    written: String,
    /// Absent if it came in a snapshot.
    #[cfg(feature = "authoring")]
    size_in_format_1: Option<LazySize>,
    /// The steps that it took to compile it.
    cost: usize,
    /// The text that every fitting value begins with; empty where that is not known.
    prefix: String,
    automaton: Arc<Automaton>,
}

impl Pattern {
    /// A regex that came in a snapshot.
    pub(crate) fn compiled(automaton: Arc<Automaton>, prefix: &str) -> Self {
        Self {
            written: String::new(),
            #[cfg(feature = "authoring")]
            size_in_format_1: None,
            cost: 0,
            prefix: prefix.to_owned(),
            automaton,
        }
    }

    /// True if the regex fits something in the value.
    pub fn is_match(&self, value: &[u8]) -> bool {
        self.automaton.finds(value).0
    }

    pub(crate) fn automaton(&self) -> &Arc<Automaton> {
        &self.automaton
    }

    /// The text that every fitting value begins with; empty where that is not known.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The regex as its author wrote it.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The memory that it takes in a filter that knows only format 1, in bytes; `None` if that filter refuses it, or if
    /// it came in a snapshot.
    pub(crate) fn size_in_format_1(&self) -> Option<usize> {
        #[cfg(feature = "authoring")]
        return self
            .size_in_format_1
            .as_ref()?
            .get(|| regex_source::size(&regex_syntax::parse(&self.written).ok()?));
        #[cfg(not(feature = "authoring"))]
        None
    }

    /// Its text in format 1. It can be a hundred times as long as what its author wrote, so it is not kept.
    pub(crate) fn text_in_format_1(&self) -> String {
        #[cfg(feature = "authoring")]
        return regex_syntax::parse(&self.written)
            .ok()
            .and_then(|hir| regex_source::text(&hir))
            .unwrap_or_default();
        // A regex that came in a snapshot is in no other.
        #[cfg(not(feature = "authoring"))]
        String::new()
    }
}
