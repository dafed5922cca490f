//! Matchers, ready to be tested.

use std::borrow::Cow;

use crate::language::{Condition, Matcher, PatternError, Regex};

/// A matcher ready to be tested.
#[derive(Clone, Debug)]
pub(crate) struct CompiledMatcher {
    negated: bool,
    condition: CompiledCondition,
}

#[derive(Clone, Debug)]
enum CompiledCondition {
    Exact(Box<[u8]>),
    Prefix(Box<[u8]>),
    Regex(Box<Regex>),
    Present(bool),
}

impl CompiledMatcher {
    /// Compiles a matcher.
    pub(crate) fn new(matcher: &Matcher) -> Result<Self, PatternError> {
        let condition = match &matcher.condition {
            Condition::Exact(text) => CompiledCondition::Exact(text.as_bytes().into()),
            Condition::Prefix(text) => CompiledCondition::Prefix(text.as_bytes().into()),
            Condition::Regex(pattern) => CompiledCondition::Regex(Box::new(Regex::new(pattern.expanded())?)),
            Condition::Present(present) => CompiledCondition::Present(*present),
        };
        Ok(CompiledMatcher { negated: matcher.negated, condition })
    }

    /// Whether the condition holds for any of the values, or, negated, for none.
    pub(crate) fn holds<'v>(&self, mut values: impl Iterator<Item = Cow<'v, [u8]>>) -> bool {
        let holds = match &self.condition {
            CompiledCondition::Exact(text) => values.any(|value| **text == *value),
            CompiledCondition::Prefix(text) => values.any(|value| value.starts_with(text)),
            // What is too long to be tested neither fits nor fails to.
            CompiledCondition::Regex(regex) if self.negated => {
                return values.all(|value| regex.is_match(&value) == Some(false));
            }
            CompiledCondition::Regex(regex) => values.any(|value| regex.is_match(&value) == Some(true)),
            CompiledCondition::Present(present) => values.next().is_some() == *present,
        };
        holds != self.negated
    }
}

#[cfg(feature = "authoring")]
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::CompiledMatcher;
    use crate::language::{Condition, Matcher, Pattern};

    fn test(condition: Condition) -> CompiledMatcher {
        CompiledMatcher::new(&Matcher::from(condition)).unwrap()
    }

    fn holds(test: &CompiledMatcher, value: &[u8]) -> bool {
        test.holds([value.into()].into_iter())
    }

    fn regex(written: &str) -> CompiledMatcher {
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
        let not =
            CompiledMatcher::new(&Matcher::from(Condition::Regex(Pattern::parse("b").unwrap())).negate())
                .unwrap();
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
        let not = |condition| CompiledMatcher::new(&Matcher::from(condition).negate()).unwrap();
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
