//! Matchers, ready to be tested.

use crate::language::{Matcher, PatternError, Regex, Test};

/// A matcher ready to be tested.
#[derive(Clone, Debug)]
pub(crate) struct CompiledMatcher {
    negated: bool,
    test: CompiledTest,
}

#[derive(Clone, Debug)]
enum CompiledTest {
    Exact(Box<[u8]>),
    Prefix(Box<[u8]>),
    Regex(Box<Regex>),
    Present(bool),
}

impl CompiledMatcher {
    /// Compiles a matcher.
    pub(crate) fn new(Matcher { negated, test }: &Matcher) -> Result<Self, PatternError> {
        let test = match test {
            Test::Exact(text) => CompiledTest::Exact(text.as_bytes().into()),
            Test::Prefix(text) => CompiledTest::Prefix(text.as_bytes().into()),
            Test::Regex(pattern) => CompiledTest::Regex(Box::new(Regex::new(pattern.expanded())?)),
            Test::Present(present) => CompiledTest::Present(*present),
        };
        Ok(Self { negated: *negated, test })
    }

    /// True if the matcher holds; `found` says if the test is met by any value. Negated, it must be met
    /// by none.
    pub(crate) fn holds(&self, found: bool) -> bool {
        let holds = match self.test {
            CompiledTest::Present(present) => found == present,
            CompiledTest::Exact(_) | CompiledTest::Prefix(_) | CompiledTest::Regex(_) => found,
        };
        holds != self.negated
    }

    /// True if a value meets the test.
    pub(crate) fn finds(&self, value: &[u8]) -> bool {
        match &self.test {
            CompiledTest::Exact(text) => **text == *value,
            CompiledTest::Prefix(text) => value.starts_with(text),
            // What is too long to be tested neither fits nor fails to.
            CompiledTest::Regex(regex) => regex.is_match(value).unwrap_or(self.negated),
            CompiledTest::Present(_) => true,
        }
    }
}

#[cfg(feature = "authoring")]
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::CompiledMatcher;
    use crate::language::{Matcher, Pattern, Test};

    fn test(test: Test) -> CompiledMatcher {
        CompiledMatcher::new(&Matcher::from(test)).unwrap()
    }

    fn holds(test: &CompiledMatcher, value: &[u8]) -> bool {
        holds_for(test, &[value])
    }

    fn holds_for(test: &CompiledMatcher, values: &[&[u8]]) -> bool {
        test.holds(values.iter().any(|value| test.finds(value)))
    }

    fn regex(written: &str) -> CompiledMatcher {
        test(Test::Regex(Pattern::parse(written).unwrap()))
    }

    #[test]
    fn exact_is_the_whole_value_and_prefix_its_beginning() {
        let exact = test(Test::Exact("/api".into()));
        assert!(holds(&exact, b"/api") && !holds(&exact, b"/api/") && !holds(&exact, b"/ap"));
        let prefix = test(Test::Prefix("/api".into()));
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
            CompiledMatcher::new(&Matcher::from(Test::Regex(Pattern::parse("b").unwrap())).negate()).unwrap();
        let (longest, longer) = (vec![b'a'; 8 * 1024], vec![b'a'; 8 * 1024 + 1]);
        assert!(holds(&regex("a"), &longest) && holds(&not, &longest));
        assert!(!holds(&regex("a"), &longer) && !holds(&not, &longer));
        let both = [longer.as_slice(), b"a"];
        assert!(holds_for(&regex("a"), &both) && !holds_for(&not, &both));
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
        let not = |test| CompiledMatcher::new(&Matcher::from(test).negate()).unwrap();
        assert!(holds_for(&test(Test::Present(false)), &[]) && !holds_for(&test(Test::Present(true)), &[]));
        assert!(holds_for(&not(Test::Exact("a".into())), &[]));
        assert!(holds(&not(Test::Exact("a".into())), b"b") && !holds(&not(Test::Exact("a".into())), b"a"));
        let both = [b"a".as_slice(), b"b"];
        assert!(
            holds_for(&test(Test::Exact("b".into())), &both)
                && !holds_for(&not(Test::Exact("b".into())), &both)
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
