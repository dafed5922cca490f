//! The regexes of one file, summed up once: all files are asked for theirs at every change of one.

use std::{collections::HashSet, sync::Arc};

use crate::language::Policy;

/// The work and the memory that the regexes of a file take.
#[derive(Debug, Default)]
pub(super) struct FileRegexes {
    /// The steps that it took to compile them, also those of invalid documents.
    pub(super) steps: usize,
    /// The bytes of their tables.
    pub(super) table_bytes: usize,
    /// The addresses and the bytes of their maps, which live as long as the file.
    pub(super) maps: Box<[(usize, usize)]>,
}

impl FileRegexes {
    pub(super) fn of<'p>(policies: impl Iterator<Item = &'p Policy> + Clone, steps: usize) -> Self {
        let rules = policies.flat_map(|policy| &policy.rules);
        let patterns = || rules.clone().flat_map(|rule| rule.matches.patterns());
        let tables = patterns().map(|pattern| (Arc::as_ptr(pattern.automaton()) as usize, pattern.size()));
        let tables: HashSet<_> = tables.collect();
        let maps = patterns().map(|pattern| pattern.wide_map()).filter(|map| map.size() > 0);
        let maps: HashSet<_> = maps.map(|map| (Arc::as_ptr(map) as usize, map.size())).collect();
        let table_bytes = tables.into_iter().map(|(_, size)| size).sum();
        Self { steps, table_bytes, maps: maps.into_iter().collect() }
    }
}
