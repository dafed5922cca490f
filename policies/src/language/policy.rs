//! A policy, in the words of the language, with values that cannot be wrong.

#[cfg(feature = "authoring")]
use std::cmp::Reverse;

#[cfg(feature = "authoring")]
use super::values::Pattern;
use super::{
    destination::Destination,
    direction::Direction,
    fault::Fault,
    matching::Match,
    selector::Selector,
    values::{PolicyName, Timestamp},
};

/// A policy: the faults that requests of some workloads get.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    pub name: PolicyName,
    pub selector: Selector,
    pub flow: Flow,
    pub mode: Mode,
    /// Higher decides first; ties by name.
    pub priority: i32,
    /// Kept, but not in force.
    pub suspend: bool,
    /// In force from here on.
    pub starts_at: Option<Timestamp>,
    /// In force until here.
    pub expires_at: Option<Timestamp>,
    /// The annotation that begins durations anew: the one part of the metadata that counts as content.
    #[cfg(feature = "authoring")]
    pub restarted_at: Option<Box<str>>,
    pub rules: Vec<Rule>,
}

/// Which requests of a workload are meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Flow {
    /// The requests that it receives.
    Inbound,
    /// The requests that it makes, to these callees.
    Outbound { destination: Destination },
}

/// The effect of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    Inject,
    /// Decide and count, but inject nothing.
    Shadow,
}

/// One kind of request and the fault it gets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    pub matches: Match,
    pub fault: Fault,
}

impl Policy {
    /// The size of the tables of its regexes, in bytes.
    #[cfg(feature = "authoring")]
    pub(crate) fn regex_bytes(&self) -> usize {
        let patterns = self.rules.iter().flat_map(|rule| rule.matches.patterns());
        patterns.map(Pattern::size).sum()
    }

    /// The higher priority decides first; then the name.
    #[cfg(feature = "authoring")]
    pub(crate) fn order(&self) -> (Reverse<i32>, &PolicyName) {
        (Reverse(self.priority), &self.name)
    }

    /// True if the policy depends on the time when its document got its content.
    pub fn has_duration(&self) -> bool {
        self.rules.iter().any(|rule| rule.fault.duration_seconds > 0)
    }
}

impl Flow {
    /// True if it means every request that the other one means.
    #[cfg(feature = "authoring")]
    pub(crate) fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Inbound, Self::Inbound) => true,
            (Self::Outbound { destination: ours }, Self::Outbound { destination: theirs }) => {
                ours.includes(theirs)
            }
            _ => false,
        }
    }

    /// The way that the requests meant go.
    pub fn direction(&self) -> Direction {
        match self {
            Self::Inbound => Direction::Inbound,
            Self::Outbound { .. } => Direction::Outbound,
        }
    }
}
