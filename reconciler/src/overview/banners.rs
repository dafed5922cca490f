//! The banners that hold.

use std::{collections::HashSet, time::Duration};

use policies::{Scope, Timestamp};

use super::{
    doing::Doing,
    facts::{Facts, Halt, KnownPolicy, Replicas, Source},
};
use crate::{
    api::{
        overview::{
            banner::{Banner, State},
            recent::{Recent, What},
        },
        policy_status::PolicyState,
    },
    fleet::filters::MEMORY,
};

/// The age beyond an interval up to which what was read is not stale, even if a read has failed since: it is tried again
/// soon.
const FRESH: Duration = Duration::from_secs(30);

/// All that hold, the most urgent first. There is always one.
pub(super) fn banners(facts: &Facts, now: Timestamp) -> Vec<Banner> {
    let of_filters = [may_still_inject(facts), injecting(facts), listening(&facts.replicas)];
    let is_calm = of_filters.iter().all(Option::is_none) && facts.source.starting.is_none();
    let [may_still_inject, injecting, listening] = of_filters;
    let not_sure = not_sure(facts, is_calm, now);
    // Only who knows all may say it.
    let nothing = is_calm && not_sure.is_none();
    let halted = facts.halt.clone().map(halted);
    let withdrawn = facts.withdrawn.clone().map(|reason| State::Withdrawn { reason });
    let nothing = nothing.then_some(State::NothingIsInjected);
    let states = [
        not_sure,
        stale(&facts.source, now),
        halted,
        withdrawn,
        may_still_inject,
        injecting,
        listening,
        nothing,
    ];
    states.into_iter().flatten().map(|state| Banner::new(state, now)).collect()
}

/// `is_calm`: as far as is known, no filter injects.
fn not_sure(facts: &Facts, is_calm: bool, now: Timestamp) -> Option<State> {
    let Replicas { total, missing, has_unasked, remember_all, .. } = &facts.replicas;
    let (silent, unreported) = (facts.silent_proxies, unreported(facts, now));
    let is_sure = facts.replicas.told_all() && silent == 0 && !unreported;
    let no_filter = if is_sure && is_calm { in_force(facts) } else { 0 };
    (!is_sure || no_filter > 0).then_some(State::NotSure {
        complete: *remember_all,
        missing: missing.len(),
        no_filter,
        replicas: *total,
        silent,
        unasked: *has_unasked,
        unreported,
    })
}

/// The policies that inject and are in force.
fn in_force(facts: &Facts) -> usize {
    let is_in_force = |known: &&KnownPolicy| {
        known.injects && known.status.state == PolicyState::Active && !facts.are_held()
    };
    facts.policies.iter().filter(is_in_force).count()
}

/// Clients that do not say what they run may have a policy: one that is in force, or was for as long as a filter is
/// remembered.
fn unreported(facts: &Facts, now: Timestamp) -> bool {
    let is_lately = |time: Timestamp| u128::from(now.millis_since(time)) <= MEMORY.as_millis();
    let is_over =
        |recent: &Recent| matches!(recent.what, What::Changed | What::Went) && is_lately(recent.at.0);
    facts.unreported.is_some_and(is_lately) && (in_force(facts) > 0 || facts.recent.iter().any(is_over))
}

/// By age: one read that fails says nothing, and one that hangs does not say that it fails.
fn stale(source: &Source, now: Timestamp) -> Option<State> {
    let Source { is_git, read_at, interval, failure, starting } = source;
    let limit = if failure.is_some() { FRESH + *interval } else { FRESH.max(*interval * 2) };
    let is_fresh = |read: &Timestamp| u128::from(now.millis_since(*read)) <= limit.as_millis();
    let is_read = read_at.as_ref().is_some_and(is_fresh) && starting.is_none();
    let reason = || failure.as_ref().or(starting.as_ref()).cloned();
    (!is_read).then(|| State::Stale {
        git: *is_git,
        reason: reason().unwrap_or_else(|| {
            let time = if read_at.is_some() {
                "the last read does not end"
            } else {
                "it is being read for the first time"
            };
            time.to_owned()
        }),
        since: read_at.map(Into::into),
    })
}

fn halted(halt: Halt) -> State {
    let Halt { by, reason, since, more, durable, is_complete, trouble } = halt;
    State::Halted { by, complete: is_complete, durable, more, reason, since: since.map(Into::into), trouble }
}

fn may_still_inject(facts: &Facts) -> Option<State> {
    let filters = facts.filters.iter().filter(|known| known.doing == Doing::MayInject).count();
    (filters > 0).then_some(State::MayStillInject { filters })
}

fn injecting(facts: &Facts) -> Option<State> {
    let injecting = facts.filters.iter().filter(|known| known.doing == Doing::Injects);
    let scopes: HashSet<_> = injecting.map(|known| &known.filter.variant.scope).collect();
    let services: HashSet<_> = scopes.into_iter().map(service).collect();
    // It says how it was some seconds ago, so alone it says nothing of now.
    let measured = facts.filters.iter().filter_map(|known| known.per_second);
    let per_second = measured.reduce(|all, one| all + one);
    (!services.is_empty()).then_some(State::Injecting { per_second, services: services.len() })
}

/// The namespaces of a workload and its service: the shortest of its names, as versions have longer ones, such as
/// `checkout-v2`.
fn service(scope: &Scope) -> (Vec<&str>, Option<&str>) {
    let of = |key: &'static str| scope.names().filter(move |(known, _)| *known == key).map(|(_, name)| name);
    (of("namespace").collect(), of("service").min_by_key(|name| name.len()))
}

fn listening(replicas: &Replicas) -> Option<State> {
    let seconds = replicas.settled_in.as_millis().div_ceil(1_000);
    (seconds > 0).then(|| State::Listening { seconds: u64::try_from(seconds).unwrap_or(u64::MAX) })
}
