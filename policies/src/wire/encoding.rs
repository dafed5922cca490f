//! The bytes of a snapshot. Formats 1 and 2 differ in the matches of rules, in the automata that format 2 has in
//! front, and in that format 2 says which names are hosts; all else is written here.
//!
//! A format may not be able to say a policy, and a filter may not know the subject of a condition, or not run its
//! regex. Then the whole policy is left out, and with it every later one: it would decide requests that the one
//! before was to decide first. Filters of format 1 decide each direction by itself, so there these are the later
//! policies for the same direction. What is left out injects nothing.

use std::sync::Arc;

use super::{
    automata::{self, Automata},
    bytes::{Damaged, Reader, Writer},
    error::SnapshotError,
    format::Format,
    parts::Fault,
    policy::{Hosts, Policy, millis, timestamp},
    snapshot::{Snapshot, SnapshotEntry},
    v1, v2,
};
use crate::{
    automaton::Automaton,
    language::{self, Direction},
};

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
    let mut can_say = |policy: &language::Policy| match format {
        Format::V1 => {
            Hosts::of(policy) == Hosts::default() && policy.rules.iter().all(|rule| room.takes(&rule.matches))
        }
        Format::V2 => true,
    };
    let mut cut = Vec::<Direction>::new();
    let mut said = Vec::with_capacity(policies.len());
    for entry in policies {
        let direction = entry.policy.flow.direction();
        if cut.contains(&direction) {
            continue;
        }
        if can_say(&entry.policy) {
            said.push(entry);
        } else {
            cut.push(direction);
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
        if format == Format::V2 {
            to.put(&Hosts::of(policy));
        }
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
    let (mut policies, mut are_known) = (Vec::new(), true);
    from.list(|from| {
        let policy: Policy<'_> = from.take()?;
        let hosts = match format {
            Format::V1 => Hosts::default(),
            Format::V2 => from.take()?,
        };
        let mut rules = Vec::new();
        from.list(|from| {
            let rule = rule(from, format, &automata)?;
            are_known &= rule.is_some();
            rules.extend(rule);
            Ok(())
        })?;
        let started_at = timestamp(from.take()?);
        let policy = policy.with(hosts, rules)?;
        // At a gateway both directions are in one order, so none of the later policies is kept.
        if are_known {
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
