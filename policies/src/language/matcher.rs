//! Matchers of values: a test, or its opposite.

use super::values::Pattern;

/// A test, or what the test does not hold for, also that there is no value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Matcher {
    pub negated: bool,
    pub test: Test,
}

/// A test of a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// The whole value.
    Exact(String),
    /// The beginning of the value.
    Prefix(String),
    /// A regex that is found anywhere in the value, unless it is anchored.
    Regex(Pattern),
    /// True: there is a value. False: there is none.
    Present(bool),
}

impl From<Test> for Matcher {
    fn from(test: Test) -> Self {
        Self { negated: false, test }
    }
}

impl Matcher {
    /// The matcher that holds where this one does not.
    pub fn negate(self) -> Self {
        Self { negated: !self.negated, ..self }
    }

    /// The text that every fitting value begins with; empty where that is not known.
    pub(crate) fn prefix(&self) -> &str {
        let Self { negated, test } = self;
        match test {
            _ if *negated => "",
            Test::Exact(text) | Test::Prefix(text) => text,
            Test::Regex(pattern) => pattern.prefix(),
            Test::Present(_) => "",
        }
    }

    /// Its regex, if it is one.
    pub(crate) fn pattern(&self) -> Option<&Pattern> {
        let Self { negated: _, test } = self;
        match test {
            Test::Regex(pattern) => Some(pattern),
            Test::Exact(_) | Test::Prefix(_) | Test::Present(_) => None,
        }
    }
}

#[cfg(feature = "authoring")]
impl Matcher {
    /// True if it surely holds for every value that the other one holds for.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        let Self { negated, test } = self;
        let needs_value = !other.negated && !matches!(other.test, Test::Present(_));
        self == other
            || match test {
                _ if *negated || !needs_value => false,
                Test::Prefix(prefix) => other.prefix().starts_with(prefix),
                Test::Present(present) => *present,
                Test::Exact(_) | Test::Regex(_) => false,
            }
    }
}
