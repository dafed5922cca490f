//! Conditions on one text: a method, a path, a header's value.

use regex::bytes::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// The most memory a compiled regex may take, in bytes; it bounds what one policy costs a proxy.
const REGEX_SIZE_LIMIT: usize = 256 * 1024;

/// A condition as it is written and as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Matcher {
    /// The whole value.
    Exact(String),
    /// How the value begins.
    Prefix(String),
    /// A regex that is found anywhere in the value, unless it is anchored.
    Regex(Pattern),
}

/// A regex of Rust's `regex` crate.
///
/// What travels is its expansion: Unicode classes and case folding written out as ranges, so that
/// the proxy needs no Unicode tables to mean the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pattern {
    #[serde(skip)]
    written: String,
    expanded: String,
}

/// Why a regex is refused.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    #[error("is not a regex: {0}")]
    Syntax(String),
    #[error(
        "is too large a regex: compiled it takes more than {REGEX_SIZE_LIMIT} bytes; repeat less or match less"
    )]
    TooLarge,
}

/// A condition ready to be tested.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Exact(Box<[u8]>),
    Prefix(Box<[u8]>),
    Regex(Regex),
}

impl Pattern {
    /// Reads a regex, and proves that a proxy will be able to compile it.
    #[cfg(feature = "authoring")]
    pub fn parse(written: &str) -> Result<Self, PatternError> {
        let hir = regex_syntax::parse(written).map_err(|error| PatternError::Syntax(reason(&error)))?;
        let mut expanded = String::new();
        regex_syntax::hir::print::Printer::new()
            .print(&hir, &mut expanded)
            .map_err(|error| PatternError::Syntax(error.to_string()))?;
        let pattern = Self { written: written.to_owned(), expanded };
        pattern.compile()?;
        Ok(pattern)
    }

    /// The regex as its author wrote it.
    pub fn written(&self) -> &str {
        &self.written
    }

    fn compile(&self) -> Result<Regex, PatternError> {
        RegexBuilder::new(&self.expanded).size_limit(REGEX_SIZE_LIMIT).build().map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => PatternError::TooLarge,
            error => PatternError::Syntax(error.to_string()),
        })
    }
}

/// One line of what `regex-syntax` draws over several.
#[cfg(feature = "authoring")]
fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => {
            format!("{} at character {}", error.kind(), error.span().start.column)
        }
        regex_syntax::Error::Translate(error) => {
            format!("{} at character {}", error.kind(), error.span().start.column)
        }
        error => error.to_string(),
    }
}

impl Matcher {
    pub(crate) fn compile(&self) -> Result<Test, PatternError> {
        Ok(match self {
            Self::Exact(text) => Test::Exact(text.as_bytes().into()),
            Self::Prefix(text) => Test::Prefix(text.as_bytes().into()),
            Self::Regex(pattern) => Test::Regex(pattern.compile()?),
        })
    }
}

impl Test {
    pub(crate) fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::Exact(text) => **text == *value,
            Self::Prefix(text) => value.starts_with(text),
            Self::Regex(regex) => regex.is_match(value),
        }
    }
}

#[cfg(feature = "authoring")]
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Matcher, Pattern, PatternError, Test};

    fn test(matcher: Matcher) -> Test {
        matcher.compile().unwrap()
    }

    fn regex(written: &str) -> Test {
        test(Matcher::Regex(Pattern::parse(written).unwrap()))
    }

    #[test]
    fn exact_is_the_whole_value_and_prefix_its_beginning() {
        let exact = test(Matcher::Exact("/api".into()));
        assert!(exact.holds(b"/api") && !exact.holds(b"/api/") && !exact.holds(b"/ap"));
        let prefix = test(Matcher::Prefix("/api".into()));
        assert!(prefix.holds(b"/api") && prefix.holds(b"/api/") && !prefix.holds(b"/ap"));
    }

    #[test]
    fn a_regex_is_unanchored_unless_written_so() {
        assert!(regex("b+").holds(b"abbc"));
        assert!(!regex("^b+$").holds(b"abbc"));
        assert!(regex("^test-").holds(b"test-1") && !regex("^test-").holds(b"a test-1"));
    }

    #[test]
    fn a_regex_knows_unicode() {
        assert!(regex(r"^\w+$").holds("größe".as_bytes()));
        assert!(regex(r"(?i)^STRAẞE$").holds("straße".as_bytes()));
        assert!(regex(r"^\p{Greek}$").holds("λ".as_bytes()));
        assert!(regex(r"\bcat\b").holds(b"a cat.") && !regex(r"\bcat\b").holds("écat".as_bytes()));
    }

    #[test]
    fn what_does_not_compile_says_why_and_where() {
        assert_eq!(
            Pattern::parse("a(b").unwrap_err().to_string(),
            "is not a regex: unclosed group at character 2"
        );
        assert!(matches!(Pattern::parse(r"(\w{100}){100}"), Err(PatternError::TooLarge)));
    }

    proptest! {
        #[test]
        fn the_expansion_means_what_was_written(
            written in r"(\^)?([a-c]|\[a-cé]|\.|\\d|\\w|\(a\|b\)|a\*|é\?|\(\?i:Ka\)){1,6}(\$)?",
            value in "[a-cAkK0-9é ]{0,8}",
        ) {
            let direct = ::regex_syntax::parse(&written);
            prop_assume!(direct.is_ok());
            let wanted = regex::bytes::Regex::new(&written);
            prop_assume!(wanted.is_ok());
            prop_assert_eq!(regex(&written).holds(value.as_bytes()), wanted.unwrap().is_match(value.as_bytes()));
        }
    }
}
