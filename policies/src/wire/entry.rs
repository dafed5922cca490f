//! What formats 1 and 2 say alike of a snapshot and its policies; only their rules differ.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    list::List,
    parts::{checked, glob},
    snapshot::{self, SnapshotError},
};
use crate::language::{self, Timestamp};

#[derive(Serialize, Deserialize)]
pub(super) struct Snapshot<'a, R> {
    #[serde(borrow, bound(deserialize = "R: Deserialize<'de>"))]
    policies: List<'a, snapshot::SnapshotEntry, Entry<'a, R>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Entry<'a, R> {
    #[serde(borrow, bound(deserialize = "R: Deserialize<'de>"))]
    policy: Policy<'a, R>,
    started_at: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Policy<'a, R> {
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
    #[serde(borrow, bound(deserialize = "R: Deserialize<'de>"))]
    rules: List<'a, language::Rule, R>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Selector<'a> {
    service: &'a str,
    namespace: &'a str,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Flow<'a> {
    Inbound,
    Outbound {
        #[serde(borrow)]
        destination: Selector<'a>,
    },
}

#[derive(Serialize, Deserialize)]
pub(super) enum Mode {
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

impl<'a, R: From<&'a language::Rule>> From<&'a snapshot::Snapshot> for Snapshot<'a, R> {
    fn from(snapshot::Snapshot { policies }: &'a snapshot::Snapshot) -> Self {
        Self { policies: List::Of(policies, Entry::from) }
    }
}

impl<R> TryFrom<Snapshot<'_, R>> for snapshot::Snapshot
where
    language::Rule: TryFrom<R, Error = SnapshotError>,
{
    type Error = SnapshotError;

    fn try_from(Snapshot { policies }: Snapshot<'_, R>) -> Result<Self, SnapshotError> {
        Ok(Self { policies: policies.try_into_values(snapshot::SnapshotEntry::try_from)? })
    }
}

impl<'a, R: From<&'a language::Rule>> From<&'a snapshot::SnapshotEntry> for Entry<'a, R> {
    fn from(snapshot::SnapshotEntry { policy, started_at }: &'a snapshot::SnapshotEntry) -> Self {
        Self { policy: (&**policy).into(), started_at: millis(*started_at) }
    }
}

impl<R> TryFrom<Entry<'_, R>> for snapshot::SnapshotEntry
where
    language::Rule: TryFrom<R, Error = SnapshotError>,
{
    type Error = SnapshotError;

    fn try_from(Entry { policy, started_at }: Entry<'_, R>) -> Result<Self, SnapshotError> {
        Ok(Self { policy: Arc::new(policy.try_into()?), started_at: timestamp(started_at) })
    }
}

impl<'a, R: From<&'a language::Rule>> From<&'a language::Policy> for Policy<'a, R> {
    fn from(policy: &'a language::Policy) -> Self {
        let language::Policy { name, selector, flow, mode, priority, suspend, starts_at, expires_at, rules } =
            policy;
        Self {
            name: name.as_str(),
            selector: selector.into(),
            flow: flow.into(),
            mode: (*mode).into(),
            priority: *priority,
            suspend: *suspend,
            starts_at: millis(*starts_at),
            expires_at: millis(*expires_at),
            rules: List::Of(rules, R::from),
        }
    }
}

impl<R> TryFrom<Policy<'_, R>> for language::Policy
where
    language::Rule: TryFrom<R, Error = SnapshotError>,
{
    type Error = SnapshotError;

    fn try_from(policy: Policy<'_, R>) -> Result<Self, SnapshotError> {
        let Policy { name, selector, flow, mode, priority, suspend, starts_at, expires_at, rules } = policy;
        Ok(Self {
            name: checked(name.to_owned())?,
            selector: selector.try_into()?,
            flow: flow.try_into()?,
            mode: mode.into(),
            priority,
            suspend,
            starts_at: timestamp(starts_at),
            expires_at: timestamp(expires_at),
            rules: rules.try_into_values(language::Rule::try_from)?,
        })
    }
}

impl<'a> From<&'a language::Selector> for Selector<'a> {
    fn from(language::Selector { service, namespace }: &'a language::Selector) -> Self {
        Self { service: service.as_str(), namespace: namespace.as_str() }
    }
}

impl TryFrom<Selector<'_>> for language::Selector {
    type Error = SnapshotError;

    fn try_from(Selector { service, namespace }: Selector<'_>) -> Result<Self, SnapshotError> {
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
    type Error = SnapshotError;

    fn try_from(flow: Flow<'_>) -> Result<Self, SnapshotError> {
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
