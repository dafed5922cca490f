//! Regexes as a proxy runs them: by simulating the automaton, which takes little memory and code, and
//! a time that grows with the value's length and with the automaton's size, both bounded.

use std::cell::RefCell;

use regex_automata::{
    Input,
    nfa::thompson::{
        self, NFA, WhichCaptures,
        pikevm::{Cache, PikeVM},
    },
    util::syntax,
};

/// The most memory a compiled regex may take, in bytes. It bounds the time that a byte of a value
/// takes.
pub(crate) const SIZE_LIMIT: usize = 256 * 1024;

/// The longest value that is tested, in bytes: its sender pays for what a longer one would cost.
/// Servers need not take longer request lines either (RFC 9112, section 3).
pub(crate) const MAX_VALUE_LENGTH: usize = 8 * 1024;

/// A compiled regex, found anywhere in a value unless it is anchored.
#[derive(Clone, Debug)]
pub(crate) struct Regex {
    automaton: PikeVM,
    cache: RefCell<Cache>,
}

/// The error of a regex that does not compile.
#[derive(Debug)]
pub(crate) enum RegexError {
    TooLarge,
    Syntax(String),
}

impl Regex {
    pub(crate) fn new(expression: &str) -> Result<Self, RegexError> {
        // Bytes, since header values need not be UTF-8.
        let syntax = syntax::Config::new().utf8(false);
        let nfa = thompson::Compiler::new().syntax(syntax).configure(limits()).build(expression);
        let automaton = PikeVM::new_from_nfa(nfa.map_err(RegexError::from)?).map_err(RegexError::from)?;
        Ok(Self { cache: RefCell::new(automaton.create_cache()), automaton })
    }

    /// Tests a value; `None` if it is too long to be tested.
    pub(crate) fn is_match(&self, value: &[u8]) -> Option<bool> {
        if value.len() > MAX_VALUE_LENGTH {
            return None;
        }
        let mut cache = self.cache.borrow_mut();
        Some(self.automaton.is_match(&mut cache, Input::new(value)))
    }
}

/// The compiled size of a regex.
#[cfg(feature = "authoring")]
impl Regex {
    pub(crate) fn size(&self) -> usize {
        self.automaton.get_nfa().memory_usage()
    }
}

fn limits() -> thompson::Config {
    NFA::config().nfa_size_limit(Some(SIZE_LIMIT)).utf8(false).which_captures(WhichCaptures::None)
}

impl From<thompson::BuildError> for RegexError {
    fn from(error: thompson::BuildError) -> Self {
        match error.size_limit() {
            Some(_) => Self::TooLarge,
            None => Self::Syntax(error.to_string()),
        }
    }
}
