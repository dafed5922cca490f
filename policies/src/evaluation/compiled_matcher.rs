//! Matchers, ready to be tested.

use std::sync::Arc;

use super::work::Work;
use crate::{
    automaton::Automaton,
    language::{Matcher, Test},
};

/// The longest value that a regex is tested on, in bytes, so that no sender makes a test expensive. Servers need
/// not take longer request lines either (RFC 9112, section 3).
const MAX_VALUE_LENGTH: usize = 8 * 1024;

/// A matcher ready to be tested.
#[derive(Clone, Debug, Hash)]
pub(crate) struct CompiledMatcher {
    negated: bool,
    test: CompiledTest,
}

#[derive(Clone, Debug, Hash)]
enum CompiledTest {
    Exact(Box<[u8]>),
    Prefix(Box<[u8]>),
    Regex(Arc<Automaton>),
    Present(bool),
}

impl From<&Matcher> for CompiledMatcher {
    fn from(Matcher { negated, test }: &Matcher) -> Self {
        let test = match test {
            Test::Exact(text) => CompiledTest::Exact(text.as_bytes().into()),
            Test::Prefix(text) => CompiledTest::Prefix(text.as_bytes().into()),
            Test::Regex(pattern) => CompiledTest::Regex(Arc::clone(pattern.automaton())),
            Test::Present(present) => CompiledTest::Present(*present),
        };
        Self { negated: *negated, test }
    }
}

impl CompiledMatcher {
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
    pub(crate) fn finds(&self, value: &[u8], work: &Work) -> bool {
        match &self.test {
            CompiledTest::Exact(text) => **text == *value,
            CompiledTest::Prefix(text) => value.starts_with(text),
            // On a longer value neither the regex nor its opposite holds.
            CompiledTest::Regex(_) if value.len() > MAX_VALUE_LENGTH => self.negated,
            CompiledTest::Regex(automaton) => {
                let (found, read) = automaton.finds(value);
                work.count_bytes(read);
                found
            }
            CompiledTest::Present(_) => true,
        }
    }
}

#[cfg(feature = "authoring")]
#[cfg(test)]
mod tests {
    use super::{CompiledMatcher, Work};
    use crate::language::{Matcher, Pattern, Test};

    fn test(test: Test) -> CompiledMatcher {
        CompiledMatcher::from(&Matcher::from(test))
    }

    fn holds(test: &CompiledMatcher, value: &[u8]) -> bool {
        holds_for(test, &[value])
    }

    fn holds_for(test: &CompiledMatcher, values: &[&[u8]]) -> bool {
        test.holds(values.iter().any(|value| test.finds(value, &Work::new())))
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
        let not = CompiledMatcher::from(&Matcher::from(Test::Regex(Pattern::parse("b").unwrap())).negate());
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
        let not = |test| CompiledMatcher::from(&Matcher::from(test).negate());
        assert!(holds_for(&test(Test::Present(false)), &[]) && !holds_for(&test(Test::Present(true)), &[]));
        assert!(holds_for(&not(Test::Exact("a".into())), &[]));
        assert!(holds(&not(Test::Exact("a".into())), b"b") && !holds(&not(Test::Exact("a".into())), b"a"));
        let both = [b"a".as_slice(), b"b"];
        assert!(
            holds_for(&test(Test::Exact("b".into())), &both)
                && !holds_for(&not(Test::Exact("b".into())), &both)
        );
    }
}
