//! Conditions on one text: a method, a path, the values of a header or a query parameter.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::regex::{Regex, RegexError, SIZE_LIMIT};

/// The longest regex as it is written, in bytes.
const MAX_REGEX_LENGTH: usize = 4 * 1024;

/// A condition, or what it does not hold for, also that there is no value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Matcher {
    pub negated: bool,
    pub condition: Condition,
}

/// A condition as it is written and as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Condition {
    /// The whole value.
    Exact(String),
    /// How the value begins.
    Prefix(String),
    /// A regex that is found anywhere in the value, unless it is anchored.
    Regex(Pattern),
    /// Whether there is a value at all.
    Present(bool),
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
    /// How every value begins that fits; empty where that is not known.
    prefix: String,
    /// How many bytes it takes when compiled.
    #[serde(skip)]
    size: usize,
}

/// Why a regex is refused.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    #[error("is not a regex: {0}")]
    Syntax(String),
    #[error(
        "is too large a regex: compiled it takes more than {SIZE_LIMIT} bytes; repeat less or match less"
    )]
    TooLarge,
    #[error("is too long a regex: at most {MAX_REGEX_LENGTH} bytes")]
    TooLong,
}

/// A matcher ready to be tested.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    negated: bool,
    condition: TestedCondition,
}

#[derive(Clone, Debug)]
enum TestedCondition {
    Exact(Box<[u8]>),
    Prefix(Box<[u8]>),
    Regex(Box<Regex>),
    Present(bool),
}

impl Pattern {
    /// Reads a regex, and proves that a proxy will be able to compile it.
    #[cfg(feature = "authoring")]
    pub fn parse(written: &str) -> Result<Self, PatternError> {
        if written.len() > MAX_REGEX_LENGTH {
            return Err(PatternError::TooLong);
        }
        let hir = regex_syntax::parse(written).map_err(|error| PatternError::Syntax(reason(&error)))?;
        let mut expanded = String::new();
        regex_syntax::hir::print::Printer::new()
            .print(&hir, &mut expanded)
            .map_err(|error| PatternError::Syntax(error.to_string()))?;
        let size = Regex::new(&expanded)?.size();
        Ok(Self { written: written.to_owned(), expanded, prefix: literal_prefix(&hir), size })
    }

    /// How many bytes it takes when compiled.
    #[cfg(feature = "authoring")]
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The plainer matcher that means the same, if there is one: its kind and its text.
    #[cfg(feature = "authoring")]
    pub fn simpler(&self) -> Option<(&'static str, &str)> {
        use regex_syntax::hir::{HirKind, Look};
        let hir = regex_syntax::parse(&self.written).ok()?;
        let HirKind::Concat(parts) = hir.kind() else { return None };
        let kinds: Vec<_> = parts.iter().map(|part| part.kind()).collect();
        match kinds.as_slice() {
            [HirKind::Look(Look::Start), HirKind::Literal(_)] => Some(("prefix", &self.prefix)),
            // What may follow and need not says nothing.
            [HirKind::Look(Look::Start), HirKind::Literal(_), HirKind::Repetition(rest)] if rest.min == 0 => {
                Some(("prefix", &self.prefix))
            }
            [HirKind::Look(Look::Start), HirKind::Literal(_), HirKind::Look(Look::End)] => {
                Some(("exact", &self.prefix))
            }
            _ => None,
        }
    }

    /// The regex as its author wrote it.
    pub fn written(&self) -> &str {
        &self.written
    }
}

impl From<RegexError> for PatternError {
    fn from(error: RegexError) -> Self {
        match error {
            RegexError::TooLarge => Self::TooLarge,
            RegexError::Syntax(reason) => Self::Syntax(reason),
        }
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

/// The text that a regex anchored at the beginning demands there.
#[cfg(feature = "authoring")]
fn literal_prefix(hir: &regex_syntax::hir::Hir) -> String {
    use regex_syntax::hir::{HirKind, Look};
    let HirKind::Concat(parts) = hir.kind() else { return String::new() };
    match parts.iter().map(|part| part.kind()).collect::<Vec<_>>().as_slice() {
        [HirKind::Look(Look::Start), HirKind::Literal(literal), ..] => {
            String::from_utf8(literal.0.to_vec()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

impl From<Condition> for Matcher {
    fn from(condition: Condition) -> Self {
        Self { negated: false, condition }
    }
}

impl Matcher {
    /// What this one does not hold for.
    pub fn negate(self) -> Self {
        Self { negated: !self.negated, ..self }
    }

    pub(crate) fn compile(&self) -> Result<Test, PatternError> {
        let condition = match &self.condition {
            Condition::Exact(text) => TestedCondition::Exact(text.as_bytes().into()),
            Condition::Prefix(text) => TestedCondition::Prefix(text.as_bytes().into()),
            Condition::Regex(pattern) => TestedCondition::Regex(Box::new(Regex::new(&pattern.expanded)?)),
            Condition::Present(present) => TestedCondition::Present(*present),
        };
        Ok(Test { negated: self.negated, condition })
    }

    #[cfg(feature = "authoring")]
    pub(crate) fn pattern(&self) -> Option<&Pattern> {
        match &self.condition {
            Condition::Regex(pattern) => Some(pattern),
            Condition::Exact(_) | Condition::Prefix(_) | Condition::Present(_) => None,
        }
    }

    /// The one text that fits, if only one does.
    pub(crate) fn exact(&self) -> Option<&str> {
        match self {
            Self { negated: false, condition: Condition::Exact(text) } => Some(text),
            _ => None,
        }
    }

    /// How every text begins that fits; empty where that is not known.
    pub(crate) fn prefix(&self) -> &str {
        match &self.condition {
            _ if self.negated => "",
            Condition::Exact(text) | Condition::Prefix(text) => text,
            Condition::Regex(pattern) => &pattern.prefix,
            Condition::Present(_) => "",
        }
    }
}

impl Test {
    /// Whether the condition holds for any of the values, or, negated, for none.
    pub(crate) fn holds<'v>(&self, mut values: impl Iterator<Item = Cow<'v, [u8]>>) -> bool {
        let holds = match &self.condition {
            TestedCondition::Exact(text) => values.any(|value| **text == *value),
            TestedCondition::Prefix(text) => values.any(|value| value.starts_with(text)),
            // What is too long to be tested neither fits nor fails to.
            TestedCondition::Regex(regex) if self.negated => {
                return values.all(|value| regex.is_match(&value) == Some(false));
            }
            TestedCondition::Regex(regex) => values.any(|value| regex.is_match(&value) == Some(true)),
            TestedCondition::Present(present) => values.next().is_some() == *present,
        };
        holds != self.negated
    }
}

#[cfg(feature = "authoring")]
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Condition, Matcher, Pattern, PatternError, Test};

    fn test(condition: Condition) -> Test {
        Matcher::from(condition).compile().unwrap()
    }

    fn holds(test: &Test, value: &[u8]) -> bool {
        test.holds([value.into()].into_iter())
    }

    fn regex(written: &str) -> Test {
        test(Condition::Regex(Pattern::parse(written).unwrap()))
    }

    #[test]
    fn exact_is_the_whole_value_and_prefix_its_beginning() {
        let exact = test(Condition::Exact("/api".into()));
        assert!(holds(&exact, b"/api") && !holds(&exact, b"/api/") && !holds(&exact, b"/ap"));
        let prefix = test(Condition::Prefix("/api".into()));
        assert!(holds(&prefix, b"/api") && holds(&prefix, b"/api/") && !holds(&prefix, b"/ap"));
    }

    #[test]
    fn a_regex_is_unanchored_unless_written_so() {
        assert!(holds(&regex("b+"), b"abbc"));
        assert!(!holds(&regex("^b+$"), b"abbc"));
        assert!(holds(&regex("^test-"), b"test-1") && !holds(&regex("^test-"), b"a test-1"));
    }

    #[test]
    fn a_value_that_is_too_long_neither_fits_a_regex_nor_fails_to() {
        let not = Matcher::from(Condition::Regex(Pattern::parse("b").unwrap())).negate().compile().unwrap();
        let (longest, longer) = (vec![b'a'; 8 * 1024], vec![b'a'; 8 * 1024 + 1]);
        assert!(holds(&regex("a"), &longest) && holds(&not, &longest));
        assert!(!holds(&regex("a"), &longer) && !holds(&not, &longer));
        let both = || [longer.as_slice().into(), b"a".as_slice().into()].into_iter();
        assert!(regex("a").holds(both()) && !not.holds(both()));
    }

    #[test]
    fn a_regex_knows_unicode() {
        assert!(holds(&regex(r"^\w+$"), "größe".as_bytes()));
        assert!(holds(&regex(r"(?i)^STRAẞE$"), "straße".as_bytes()));
        assert!(holds(&regex(r"^\p{Greek}$"), "λ".as_bytes()));
        assert!(holds(&regex(r"\bcat\b"), b"a cat.") && !holds(&regex(r"\bcat\b"), "écat".as_bytes()));
    }

    #[test]
    fn present_and_not_hold_for_what_is_not_there() {
        let none = || std::iter::empty();
        let not = |condition| Matcher::from(condition).negate().compile().unwrap();
        assert!(
            test(Condition::Present(false)).holds(none()) && !test(Condition::Present(true)).holds(none())
        );
        assert!(not(Condition::Exact("a".into())).holds(none()));
        assert!(
            holds(&not(Condition::Exact("a".into())), b"b")
                && !holds(&not(Condition::Exact("a".into())), b"a")
        );
        let both = || [b"a".as_slice().into(), b"b".as_slice().into()].into_iter();
        assert!(
            test(Condition::Exact("b".into())).holds(both())
                && !not(Condition::Exact("b".into())).holds(both())
        );
    }

    #[test]
    fn an_anchored_regex_tells_how_what_fits_begins() {
        for (written, prefix) in [
            ("^/api/[0-9]+", "/api/"),
            ("^/api", "/api"),
            ("/api", ""),
            ("^(?i)api", ""),
            ("^(a|b)", ""),
            ("^a|b", ""),
        ] {
            assert_eq!(Pattern::parse(written).unwrap().prefix, prefix, "{written}");
        }
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
            prop_assert_eq!(holds(&regex(&written), value.as_bytes()), wanted.unwrap().is_match(value.as_bytes()));
        }
    }
}
