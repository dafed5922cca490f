//! Which requests a rule matches.

use super::{
    matcher::Matcher,
    subject::Subject,
    values::{Glob, Pattern},
};

/// Conditions on a request; all must hold. None at all: every request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Match {
    pub conditions: Vec<Condition>,
    pub source: Option<Source>,
}

/// One condition: a part of the request, and what its values must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    pub subject: Subject,
    pub matcher: Matcher,
}

/// The caller's mesh identity, as its certificate proves it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    pub namespace: Glob,
    pub service_account: Glob,
}

impl Match {
    /// The regexes of all conditions.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        let Self { conditions, source: _ } = self;
        conditions.iter().filter_map(|Condition { subject: _, matcher }| matcher.pattern())
    }
}

#[cfg(feature = "authoring")]
impl Match {
    /// True if it surely holds for every request that the other one holds for.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        let Self { conditions, source } = self;
        let is_met = |ours: &Condition| other.conditions.iter().any(|theirs| ours.includes(theirs));
        conditions.iter().all(is_met)
            && source
                .as_ref()
                .is_none_or(|ours| other.source.as_ref().is_some_and(|theirs| ours.includes(theirs)))
    }
}

#[cfg(feature = "authoring")]
impl Condition {
    /// True if it surely holds for every request that the other one holds for.
    fn includes(&self, other: &Self) -> bool {
        let Self { subject, matcher } = self;
        *subject == other.subject && matcher.includes(&other.matcher)
    }
}

#[cfg(feature = "authoring")]
impl Source {
    fn includes(&self, other: &Self) -> bool {
        let Self { namespace, service_account } = self;
        namespace.includes(&other.namespace) && service_account.includes(&other.service_account)
    }
}
