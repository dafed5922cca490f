//! Regexes as format 1 of the snapshot carries them: as text, for filters that compile it themselves.

/// The most memory that a compiled regex takes in such a filter, in bytes. It refuses all policies if one of
/// their regexes takes more.
#[cfg(feature = "authoring")]
const SIZE_LIMIT: usize = 256 * 1024;

/// The text of a regex with Unicode classes and case folding written out as ranges, so that the filter needs
/// no Unicode tables to mean the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RegexSource {
    text: String,
    size: usize,
}

#[cfg(feature = "authoring")]
impl RegexSource {
    /// The text of a regex; `None` if such a filter cannot compile it.
    pub(super) fn new(hir: &regex_syntax::hir::Hir) -> Option<Self> {
        use regex_automata::{
            nfa::thompson::{Compiler, NFA, WhichCaptures},
            util::syntax,
        };
        let mut text = String::new();
        regex_syntax::hir::print::Printer::new().print(hir, &mut text).ok()?;
        // Bytes, since header values need not be UTF-8.
        let syntax = syntax::Config::new().utf8(false);
        let limits = NFA::config().nfa_size_limit(Some(SIZE_LIMIT)).utf8(false);
        let limits = limits.which_captures(WhichCaptures::None);
        let nfa = Compiler::new().syntax(syntax).configure(limits).build(&text).ok()?;
        Some(Self { text, size: nfa.memory_usage() })
    }
}

impl RegexSource {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The memory that it takes when it is compiled, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.size
    }
}
