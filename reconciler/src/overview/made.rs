//! The overview of what is known.

use policies::Timestamp;

use super::{
    banners::banners,
    facts::{Facts, KnownPolicy},
    trouble::trouble,
};
use crate::api::{
    overview::{
        Listed, Overview,
        in_force::{Coming, InForce},
    },
    policy_status::PolicyState,
};

/// The most policies of a list.
const MAX_POLICIES: usize = 50;
/// The milliseconds within which a policy is told to come.
const SOON: u64 = 24 * 60 * 60 * 1_000;

/// The overview of these facts at `now`.
pub fn made(facts: Facts, now: Timestamp) -> Overview {
    let (banners, trouble) = (banners(&facts, now), trouble(&facts));
    let (active, total) = in_force(&facts);
    let in_force = Listed { items: active.into_iter().map(shown).collect(), total };
    let is_held = facts.are_held();
    let coming = Listed::first_of(MAX_POLICIES, coming(&facts, now).into_iter(), |coming| {
        shown_coming(coming, is_held)
    });
    Overview {
        at: now.into(),
        banners,
        coming,
        filters: facts.filters.iter().map(|known| known.filter.state).collect(),
        in_force,
        missing: facts.replicas.missing,
        recent: facts.recent,
        replicas: facts.replicas.count,
        revision: facts.revision,
        source_read: facts.source.read_at.map(Into::into),
        summary: facts.summary,
        trouble,
    }
}

/// The policies that the overview lists: those in force, by name, and those that come within a day, the next one first.
pub fn listed(facts: &Facts, now: Timestamp) -> impl Iterator<Item = &KnownPolicy> {
    in_force(facts)
        .0
        .into_iter()
        .chain(coming(facts, now).into_iter().map(|(_, policy)| policy).take(MAX_POLICIES))
}

/// The policies in force that are listed, and the number of all.
fn in_force(facts: &Facts) -> (Vec<&KnownPolicy>, usize) {
    let is_active = |known: &&KnownPolicy| known.status.state == PolicyState::Active && !facts.are_held();
    let mut active: Vec<_> = facts.policies.iter().filter(is_active).collect();
    let total = active.len();
    active.sort_by(|one, other| one.name.cmp(&other.name));
    if total > MAX_POLICIES {
        let rate =
            |known: &&KnownPolicy| known.status.measured.as_ref().map_or(0.0, |measured| measured.per_second);
        active.sort_by(|one, other| rate(other).total_cmp(&rate(one)));
        active.truncate(MAX_POLICIES);
        active.sort_by(|one, other| one.name.cmp(&other.name));
    }
    (active, total)
}

fn shown(known: &KnownPolicy) -> InForce {
    let KnownPolicy { status, configured, is_shadow, committed, spark, .. } = known;
    InForce {
        committed: committed.clone(),
        configured: *configured,
        ends_at: status.ends_at,
        fault_types: status.first_generation.fault_types.clone(),
        measured: status.measured.clone(),
        name: status.name.clone(),
        shadow: *is_shadow,
        spark: spark.clone(),
        targets: status.targets.clone(),
    }
}

/// The policies that come into force within a day, the next one first.
fn coming(facts: &Facts, now: Timestamp) -> Vec<(Timestamp, &KnownPolicy)> {
    let scheduled = facts.policies.iter().filter(|known| known.status.state == PolicyState::Scheduled);
    let soon = scheduled.filter_map(|known| Some((known.in_force_from?, known)));
    let mut soon: Vec<_> = soon.filter(|(from, _)| *from <= now.plus_millis(SOON)).collect();
    soon.sort_by(|(one, first), (other, second)| (one, &first.name).cmp(&(other, &second.name)));
    soon
}

fn shown_coming((from, known): (Timestamp, &KnownPolicy), is_held: bool) -> Coming {
    Coming {
        committed: known.committed.clone(),
        ends_at: known.status.ends_at,
        fault_types: known.status.first_generation.fault_types.clone(),
        held: is_held,
        name: known.status.name.clone(),
        starts_at: from.into(),
        targets: known.status.targets.clone(),
    }
}
