//! Conditions on a request: on its method, its path, its headers, its query, its caller.

use super::values::{Glob, HeaderName, Pattern};

/// Conditions on a request; all must hold. None at all: every request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Match {
    pub method: Option<Matcher>,
    pub path: Option<Matcher>,
    pub headers: Vec<(HeaderName, Matcher)>,
    /// By the parameter's name, percent-decoded.
    pub query: Vec<(String, Matcher)>,
    pub source: Option<Source>,
}

/// The caller's mesh identity, as its certificate proves it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    pub namespace: Glob,
    pub service_account: Glob,
}

/// A condition, or what it does not hold for, also that there is no value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Matcher {
    pub negated: bool,
    pub condition: Condition,
}

/// A condition as it is written and as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
            Condition::Regex(pattern) => &pattern.prefix(),
            Condition::Present(_) => "",
        }
    }
}

#[cfg(feature = "authoring")]
impl Match {
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.matchers().filter_map(Matcher::pattern)
    }

    fn matchers(&self) -> impl Iterator<Item = &Matcher> {
        let named = self
            .headers
            .iter()
            .map(|(_, matcher)| matcher)
            .chain(self.query.iter().map(|(_, matcher)| matcher));
        self.method.iter().chain(&self.path).chain(named)
    }
}

#[cfg(feature = "authoring")]
impl Match {
    /// Whether it surely holds for every request that the other one holds for.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        let plain = |ours: &Option<Matcher>, theirs: &Option<Matcher>| {
            ours.as_ref().is_none_or(|ours| theirs.as_ref().is_some_and(|theirs| ours.includes(theirs)))
        };
        plain(&self.method, &other.method)
            && plain(&self.path, &other.path)
            && all_included(&self.headers, &other.headers)
            && all_included(&self.query, &other.query)
            && self.source.as_ref().is_none_or(|ours| {
                let wider = |theirs: &Source| {
                    ours.namespace.includes(&theirs.namespace)
                        && ours.service_account.includes(&theirs.service_account)
                };
                other.source.as_ref().is_some_and(wider)
            })
    }
}

#[cfg(feature = "authoring")]
fn all_included<N: PartialEq>(ours: &[(N, Matcher)], theirs: &[(N, Matcher)]) -> bool {
    ours.iter()
        .all(|(name, matcher)| theirs.iter().any(|(other, theirs)| other == name && matcher.includes(theirs)))
}

#[cfg(feature = "authoring")]
impl Matcher {
    /// Whether it surely holds for every value that the other one holds for.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        let needs_value = !other.negated && !matches!(other.condition, Condition::Present(_));
        self == other
            || match &self.condition {
                _ if self.negated || !needs_value => false,
                Condition::Prefix(prefix) => other.prefix().starts_with(prefix),
                Condition::Present(present) => *present,
                Condition::Exact(_) | Condition::Regex(_) => false,
            }
    }
}
