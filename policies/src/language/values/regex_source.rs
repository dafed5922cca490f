//! Regexes as format 1 of the snapshot carries them: as text, for filters that compile it themselves.

use regex_automata::{
    nfa::thompson::{Compiler, NFA, WhichCaptures},
    util::syntax,
};
use regex_syntax::hir::{Hir, print::Printer};

/// The most memory that a compiled regex takes in such a filter, in bytes. It refuses all policies if one of
/// their regexes takes more.
const SIZE_LIMIT: usize = 256 * 1024;

/// The text of a regex with Unicode classes and case folding written out as ranges, so that the filter needs
/// no Unicode tables to mean the same.
pub(super) fn text(hir: &Hir) -> Option<String> {
    let mut text = String::new();
    Printer::new().print(hir, &mut text).ok()?;
    Some(text)
}

/// The memory that a regex takes in such a filter, in bytes; `None` if the filter refuses it.
pub(super) fn size(hir: &Hir) -> Option<usize> {
    // Bytes, since header values need not be UTF-8.
    let syntax = syntax::Config::new().utf8(false);
    let limits = NFA::config().nfa_size_limit(Some(SIZE_LIMIT)).utf8(false);
    let limits = limits.which_captures(WhichCaptures::None);
    let nfa = Compiler::new().syntax(syntax).configure(limits).build(&text(hir)?).ok()?;
    Some(nfa.memory_usage())
}
