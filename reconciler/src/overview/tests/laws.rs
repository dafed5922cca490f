//! Whatever is known, what is said is so.

use std::time::Duration;

use policies::Timestamp;
use proptest::{collection::vec, option, prelude::*};

use super::{
    Doing, Facts, FilterState, Halt, KnownFilter, KnownPolicy, MissingReplica, NOW, Overview, PolicyState,
    Replicas, Source, kinds, known_filter, known_policy, made,
};

/// The kinds of banners in their order.
const KINDS: [&str; 8] = [
    "not_sure",
    "stale",
    "halted",
    "withdrawn",
    "may_still_inject",
    "injecting",
    "listening",
    "nothing_is_injected",
];

fn filters() -> impl Strategy<Value = Vec<KnownFilter>> {
    use FilterState::{Gone, InStep, Lagging};
    let what = prop::sample::select(vec![
        (Doing::Nothing, InStep),
        (Doing::Nothing, Gone),
        (Doing::Nothing, Lagging),
        (Doing::MayInject, Lagging),
        (Doing::MayInject, Gone),
        (Doing::Injects, InStep),
    ]);
    let rate = option::of(prop::sample::select(vec![0.0, 0.25, 7.0]));
    let services = prop::sample::select(vec![&["a"][..], &["a", "a-v1"], &["b"], &["b-v2", "b"]]);
    let filter = (services, what, rate);
    vec(filter, 0..4).prop_map(|filters| {
        let known = |(number, (services, (doing, state), rate)): (usize, _)| {
            known_filter(&format!("n{number}"), services, doing, state, rate)
        };
        filters.into_iter().enumerate().map(known).collect()
    })
}

prop_compose! {
    fn facts()(
        filters in filters(), injects in option::of(any::<bool>()), silent_proxies in 0..2_usize,
        missing in 0..3_usize, has_unasked: bool, remember_all: bool, settled in 0..3_u64,
        age in option::of(prop::sample::select(vec![0, 29, 31, 59, 61])),
        failure in option::of(Just("refused".to_owned())),
        starting in option::weighted(0.2, Just("nothing has been loaded yet".to_owned())),
        halt in option::weighted(0.3, Just(Halt { by: Some("alice".to_owned()), ..Halt::default() })),
        withdrawn in option::weighted(0.2, Just("unsigned".to_owned())),
    ) -> Facts {
        let silent = MissingReplica { error: "refused".to_owned(), name: "hfi-2".to_owned() };
        let replicas = Replicas {
            count: Some("1 of 3".to_owned()),
            total: 3,
            missing: vec![silent; missing],
            has_unasked,
            remember_all: remember_all && missing == 0,
            // Most of the time.
            settled_in: Duration::from_secs(settled.saturating_sub(1)),
        };
        let read_at = age.map(|seconds: u64| Timestamp::from_millis(NOW.as_millis() - seconds * 1_000));
        let source = Source { is_git: true, read_at, interval: Duration::from_secs(30), failure, starting };
        let policy = |injects| KnownPolicy { injects, ..known_policy("a", PolicyState::Active, None) };
        let policies = injects.into_iter().map(policy).collect();
        Facts { source, halt, withdrawn, replicas, filters, policies, silent_proxies, ..Facts::default() }
    }
}

fn says(overview: &Overview, kind: &str) -> bool {
    assert!(KINDS.contains(&kind), "{kind}");
    kinds(overview).iter().any(|known| known == kind)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_injected_is_said_only_if_that_is_known(facts in facts()) {
        let overview = made(facts.clone(), NOW);
        let Replicas { missing, has_unasked, remember_all, .. } = &facts.replicas;
        let all_answer = missing.is_empty() && !has_unasked && *remember_all;
        let all_heard = facts.replicas.settled_in.is_zero() && facts.source.starting.is_none();
        let nobody_injects = facts.filters.iter().all(|known| known.doing == Doing::Nothing);
        let is_held = facts.halt.is_some() || facts.withdrawn.is_some();
        let is_known = all_answer && all_heard && nobody_injects && facts.silent_proxies == 0;
        // A policy that somebody should have and nobody is known to have, or that those may have who do not say so.
        let is_in_force = facts.policies.iter().any(|known| known.injects) && !is_held;
        let is_known = is_known && !is_in_force;
        prop_assert_eq!(says(&overview, "nothing_is_injected"), is_known);
        prop_assert!(!overview.banners.is_empty(), "something is always said");
    }

    #[test]
    fn all_that_hold_are_said_once_and_in_order(facts in facts()) {
        let overview = made(facts.clone(), NOW);
        let any = |doing| facts.filters.iter().any(|known| known.doing == doing);
        let Replicas { missing, has_unasked, remember_all, .. } = &facts.replicas;
        let is_sure = missing.is_empty() && !has_unasked && *remember_all && facts.silent_proxies == 0;
        prop_assert!(is_sure || says(&overview, "not_sure"));
        if facts.policies.is_empty() {
            prop_assert_eq!(says(&overview, "not_sure"), !is_sure);
        }
        let Source { read_at, starting, .. } = &facts.source;
        let is_fresh = read_at.is_some_and(|read| NOW.millis_since(read) <= 60_000);
        let is_stale = !is_fresh || starting.is_some();
        prop_assert_eq!(says(&overview, "stale"), is_stale);
        prop_assert_eq!(says(&overview, "halted"), facts.halt.is_some());
        prop_assert_eq!(says(&overview, "withdrawn"), facts.withdrawn.is_some());
        prop_assert_eq!(says(&overview, "may_still_inject"), any(Doing::MayInject));
        prop_assert_eq!(says(&overview, "injecting"), any(Doing::Injects));
        prop_assert_eq!(says(&overview, "listening"), !facts.replicas.settled_in.is_zero());

        let rank = |kind: &String| KINDS.iter().position(|known| known == kind).unwrap();
        let ranks: Vec<_> = kinds(&overview).iter().map(rank).collect();
        prop_assert!(ranks.is_sorted_by(|one, next| one < next), "{:?}", ranks);
        let is_wrong = ["not_sure", "stale", "withdrawn", "may_still_inject"];
        let is_wrong = is_wrong.into_iter().any(|kind| says(&overview, kind));
        let all_are_known = missing.is_empty() && !has_unasked && *remember_all;
        let all_are_known = all_are_known && facts.replicas.settled_in.is_zero();
        let is_held = facts.halt.is_some() || facts.withdrawn.is_some();
        let nobody_polls = !facts.policies.is_empty() && facts.filters.is_empty() && all_are_known && !is_held;
        let in_trouble = nobody_polls || overview.filters.lagging + overview.filters.gone > 0;
        prop_assert_eq!(overview.is_right(), !is_wrong && !in_trouble);
    }
}
