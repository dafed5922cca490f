//! The snapshot and the policies of formats 1 and 2; only their rules differ.
//!
//! A format may not be able to say a rule, and a filter may not know the subject of a condition. Then the
//! whole policy is left out, and with it every later policy for the same direction: it would decide
//! requests that the one before was to decide first. What is left out injects nothing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    list::List,
    parts::{checked, glob},
    snapshot::{self, SnapshotEntry, SnapshotError},
};
use crate::language::{self, Direction, Timestamp};

/// A rule of a format.
pub(super) trait WireRule<'a>: Sized {
    /// True if the format has room for all that the rule says.
    fn can_say(rule: &language::Rule) -> bool;

    /// Makes the format's rule of one that it can say.
    fn write(rule: &'a language::Rule) -> Self;

    /// The rule that was read.
    fn read(self) -> Result<language::Rule, Unreadable>;
}

/// The error of something that was read and is no value of the language.
#[derive(Debug)]
pub(super) enum Unreadable {
    Damaged,
    /// It is of a later build.
    UnknownSubject,
}

/// The directions whose later policies are left out.
#[derive(Default)]
struct Cut(Vec<Direction>);

#[derive(Serialize, Deserialize)]
pub(super) struct Snapshot<'a, R> {
    #[serde(borrow, bound(deserialize = "R: Deserialize<'de>"))]
    policies: List<'a, SnapshotEntry, Entry<'a, R>>,
}

#[derive(Serialize, Deserialize)]
struct Entry<'a, R> {
    #[serde(borrow, bound(deserialize = "R: Deserialize<'de>"))]
    policy: Policy<'a, R>,
    started_at: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Policy<'a, R> {
    #[serde(borrow)]
    head: Head<'a>,
    #[serde(borrow, bound(deserialize = "R: Deserialize<'de>"))]
    rules: List<'a, language::Rule, R>,
}

/// A policy without its rules. The same code reads it in every format: the filter is to stay small.
#[derive(Serialize, Deserialize)]
struct Head<'a> {
    name: &'a str,
    #[serde(borrow)]
    selector: Selector<'a>,
    #[serde(borrow)]
    flow: Flow<'a>,
    mode: Mode,
    priority: i32,
    suspend: bool,
    starts_at: Option<u64>,
    expires_at: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Selector<'a> {
    service: &'a str,
    namespace: &'a str,
}

#[derive(Serialize, Deserialize)]
enum Flow<'a> {
    Inbound,
    Outbound {
        #[serde(borrow)]
        destination: Selector<'a>,
    },
}

#[derive(Serialize, Deserialize)]
enum Mode {
    Inject,
    Shadow,
}

/// Milliseconds since the Unix epoch.
fn millis(time: Option<Timestamp>) -> Option<u64> {
    time.map(Timestamp::as_millis)
}

fn timestamp(millis: Option<u64>) -> Option<Timestamp> {
    millis.map(Timestamp::from_millis)
}

impl Cut {
    fn has(&self, direction: Direction) -> bool {
        self.0.contains(&direction)
    }
}

impl<'a, R: WireRule<'a>> Snapshot<'a, R> {
    /// Makes the format's snapshot.
    pub(super) fn write(snapshot::Snapshot { policies }: &'a snapshot::Snapshot) -> Self {
        let can_say = |entry: &SnapshotEntry| entry.policy.rules.iter().all(R::can_say);
        if policies.iter().all(can_say) {
            return Self { policies: List::Of(policies, Entry::write) };
        }
        let mut cut = Cut::default();
        let said = policies.iter().filter(|entry| {
            let direction = entry.policy.flow.direction();
            if !can_say(entry) {
                cut.0.push(direction);
            }
            !cut.has(direction)
        });
        Self { policies: List::Items(said.map(Entry::write).collect()) }
    }

    /// The snapshot that was read.
    pub(super) fn read(self) -> Result<snapshot::Snapshot, SnapshotError> {
        let mut cut = Cut::default();
        let mut policies = Vec::new();
        for entry in self.policies.into_items() {
            let direction = match entry.policy.head.flow {
                Flow::Inbound => Direction::Inbound,
                Flow::Outbound { .. } => Direction::Outbound,
            };
            match entry.read() {
                Ok(_) if cut.has(direction) => {}
                Ok(entry) => policies.push(entry),
                Err(Unreadable::UnknownSubject) => cut.0.push(direction),
                Err(Unreadable::Damaged) => {
                    return Err(SnapshotError::Damaged("a value is not valid".to_owned()));
                }
            }
        }
        Ok(snapshot::Snapshot { policies })
    }
}

impl<'a, R: WireRule<'a>> Entry<'a, R> {
    fn write(SnapshotEntry { policy, started_at }: &'a SnapshotEntry) -> Self {
        Self { policy: Policy::write(policy), started_at: millis(*started_at) }
    }

    fn read(self) -> Result<SnapshotEntry, Unreadable> {
        let Self { policy, started_at } = self;
        Ok(SnapshotEntry { policy: Arc::new(policy.read()?), started_at: timestamp(started_at) })
    }
}

impl<'a, R: WireRule<'a>> Policy<'a, R> {
    fn write(policy: &'a language::Policy) -> Self {
        let language::Policy { name, selector, flow, mode, priority, suspend, starts_at, expires_at, rules } =
            policy;
        let head = Head {
            name: name.as_str(),
            selector: selector.into(),
            flow: flow.into(),
            mode: (*mode).into(),
            priority: *priority,
            suspend: *suspend,
            starts_at: millis(*starts_at),
            expires_at: millis(*expires_at),
        };
        Self { head, rules: List::Of(rules, R::write) }
    }

    fn read(self) -> Result<language::Policy, Unreadable> {
        let Self { head, rules } = self;
        head.read(rules.into_items().into_iter().map(R::read).collect::<Result<_, _>>()?)
    }
}

impl Head<'_> {
    fn read(self, rules: Vec<language::Rule>) -> Result<language::Policy, Unreadable> {
        let Self { name, selector, flow, mode, priority, suspend, starts_at, expires_at } = self;
        Ok(language::Policy {
            name: checked(name.to_owned())?,
            selector: selector.try_into()?,
            flow: flow.try_into()?,
            mode: mode.into(),
            priority,
            suspend,
            starts_at: timestamp(starts_at),
            expires_at: timestamp(expires_at),
            rules,
        })
    }
}

impl<'a> From<&'a language::Selector> for Selector<'a> {
    fn from(language::Selector { service, namespace }: &'a language::Selector) -> Self {
        Self { service: service.as_str(), namespace: namespace.as_str() }
    }
}

impl TryFrom<Selector<'_>> for language::Selector {
    type Error = Unreadable;

    fn try_from(Selector { service, namespace }: Selector<'_>) -> Result<Self, Unreadable> {
        Ok(Self { service: glob(service)?, namespace: glob(namespace)? })
    }
}

impl<'a> From<&'a language::Flow> for Flow<'a> {
    fn from(flow: &'a language::Flow) -> Self {
        match flow {
            language::Flow::Inbound => Self::Inbound,
            language::Flow::Outbound { destination } => Self::Outbound { destination: destination.into() },
        }
    }
}

impl TryFrom<Flow<'_>> for language::Flow {
    type Error = Unreadable;

    fn try_from(flow: Flow<'_>) -> Result<Self, Unreadable> {
        Ok(match flow {
            Flow::Inbound => Self::Inbound,
            Flow::Outbound { destination } => Self::Outbound { destination: destination.try_into()? },
        })
    }
}

impl From<language::Mode> for Mode {
    fn from(mode: language::Mode) -> Self {
        match mode {
            language::Mode::Inject => Self::Inject,
            language::Mode::Shadow => Self::Shadow,
        }
    }
}

impl From<Mode> for language::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Inject => Self::Inject,
            Mode::Shadow => Self::Shadow,
        }
    }
}
