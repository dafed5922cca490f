//! The bytes of a snapshot. Formats 1 and 2 differ in the matches of rules only, and in the automata that
//! format 2 has in front; all else is written here.
//!
//! A format may not be able to say a match, and a filter may not know the subject of a condition, or not run its
//! regex. Then the whole policy is left out, and with it every later policy for the same direction: it would
//! decide requests that the one before was to decide first. What is left out injects nothing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    automata::{self, Automata},
    bytes::{Damaged, Reader, Writer},
    error::SnapshotError,
    format::Format,
    parts::{Fault, checked, glob},
    snapshot::{Snapshot, SnapshotEntry},
    v1, v2,
};
use crate::{
    automaton::Automaton,
    language::{self, Direction, Timestamp},
};

/// The directions whose later policies are left out.
#[derive(Default)]
struct Cut(Vec<Direction>);

/// A policy without its rules.
#[derive(Serialize, Deserialize)]
struct Policy<'a> {
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

impl Snapshot {
    /// The bytes that are served. Equal snapshots give equal bytes.
    pub fn encode(&self, format: Format) -> Vec<u8> {
        let mut bytes = Writer::new(&format.magic());
        write(self, format, &mut bytes);
        bytes.into_bytes()
    }

    /// Reads what [`Snapshot::encode`] wrote, in whichever format.
    pub fn decode(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let format = Format::of(bytes)?;
        let mut bytes = Reader::new(bytes.get(format.magic().len()..).unwrap_or_default());
        let snapshot = read(&mut bytes, format).map_err(|Damaged| SnapshotError::Damaged)?;
        match bytes.left() {
            0 => Ok(snapshot),
            left => Err(SnapshotError::Trailing(left)),
        }
    }
}

/// Writes a snapshot, without what the format cannot say.
fn write(Snapshot { policies }: &Snapshot, format: Format, to: &mut Writer) {
    let mut room = v1::Room::default();
    let mut can_say = |entry: &SnapshotEntry| {
        entry.policy.rules.iter().all(|rule| match format {
            Format::V1 => room.takes(&rule.matches),
            Format::V2 => true,
        })
    };
    let mut cut = Cut::default();
    let mut said = Vec::with_capacity(policies.len());
    for entry in policies {
        let direction = entry.policy.flow.direction();
        if cut.has(direction) {
            continue;
        }
        if can_say(entry) {
            said.push(entry);
        } else {
            cut.0.push(direction);
        }
    }
    let rules = said.iter().flat_map(|entry| &entry.policy.rules);
    let automata = match format {
        Format::V1 => Automata::default(),
        Format::V2 => Automata::of(rules.flat_map(|rule| rule.matches.patterns())),
    };
    if format == Format::V2 {
        automata.write(to);
    }
    to.list(said.into_iter(), |to, SnapshotEntry { policy, started_at }| {
        to.put(&Policy::from(&**policy));
        to.list(policy.rules.iter(), |to, language::Rule { matches, fault }| {
            match format {
                Format::V1 => v1::write(matches, to),
                Format::V2 => v2::write(matches, &automata, to),
            }
            to.put(&Fault::from(fault));
        });
        to.put(&millis(*started_at));
    });
}

/// Reads a snapshot, without what this build does not know.
fn read(from: &mut Reader<'_>, format: Format) -> Result<Snapshot, Damaged> {
    let automata = match format {
        Format::V1 => Vec::new(),
        Format::V2 => automata::read(from)?,
    };
    let mut cut = Cut::default();
    let mut policies = Vec::new();
    from.list(|from| {
        let policy: Policy<'_> = from.take()?;
        let (mut rules, mut is_known) = (Vec::new(), true);
        from.list(|from| {
            let rule = rule(from, format, &automata)?;
            is_known &= rule.is_some();
            rules.extend(rule);
            Ok(())
        })?;
        let started_at = timestamp(from.take()?);
        let policy = policy.with(rules)?;
        let direction = policy.flow.direction();
        if !is_known {
            cut.0.push(direction);
        }
        if !cut.has(direction) {
            policies.push(SnapshotEntry { policy: Arc::new(policy), started_at });
        }
        Ok(())
    })?;
    Ok(Snapshot { policies })
}

/// Reads a rule; `None` if this build cannot test one of its conditions.
fn rule(
    from: &mut Reader<'_>,
    format: Format,
    automata: &[Arc<Automaton>],
) -> Result<Option<language::Rule>, Damaged> {
    let matches = match format {
        Format::V1 => v1::read(from)?,
        Format::V2 => v2::read(from, automata)?,
    };
    let fault = from.take::<Fault<'_>>()?.try_into()?;
    Ok(matches.map(|matches| language::Rule { matches, fault }))
}

impl<'a> From<&'a language::Policy> for Policy<'a> {
    fn from(policy: &'a language::Policy) -> Self {
        let language::Policy {
            name,
            selector,
            flow,
            mode,
            priority,
            suspend,
            starts_at,
            expires_at,
            rules: _,
        } = policy;
        Self {
            name: name.as_str(),
            selector: selector.into(),
            flow: flow.into(),
            mode: (*mode).into(),
            priority: *priority,
            suspend: *suspend,
            starts_at: millis(*starts_at),
            expires_at: millis(*expires_at),
        }
    }
}

impl Policy<'_> {
    fn with(self, rules: Vec<language::Rule>) -> Result<language::Policy, Damaged> {
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
    type Error = Damaged;

    fn try_from(Selector { service, namespace }: Selector<'_>) -> Result<Self, Damaged> {
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
    type Error = Damaged;

    fn try_from(flow: Flow<'_>) -> Result<Self, Damaged> {
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
