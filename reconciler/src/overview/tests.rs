//! The overview says what is so, and nothing that is not known.

use std::{sync::Arc, time::Duration};

use policies::{Scope, Timestamp, wire::poll::NodeId};
use proptest::{collection::vec, option, prelude::*};

use super::{
    doing::Doing,
    facts::{Facts, Halt, KnownFilter, KnownPolicy, Replicas, Source},
    made::made,
};
use crate::{
    api::{
        filters::FilterState,
        finding::Finding,
        first_generation::PolicyFields,
        measured::Measured,
        overview::{
            Listed, Overview,
            banner::Banner,
            in_force::Shares,
            recent::{Recent, What, Why},
        },
        peers::MissingReplica,
        policy_status::{Direction, PolicyState, PolicyStatus, RejectedFile, Selector, Targets},
        writes::HistoryCommit,
    },
    fleet::filters::Filter,
};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn measured(per_second: f64) -> Measured {
    Measured {
        aborts: 0,
        chosen: 0,
        delays: 0,
        filters: 1,
        matched: 0,
        overflow: 0,
        partial: false,
        per_second,
        shadow: 0,
        share: None,
        since: NOW.into(),
    }
}

fn known_filter(
    node: &str,
    services: &[&str],
    doing: Doing,
    state: FilterState,
    per_second: Option<f64>,
) -> KnownFilter {
    let filter = Filter {
        node: NodeId::parse(node).unwrap(),
        variant: Arc::new(Scope::new(["shop"], services.iter().copied()).unwrap().into()),
        plugins: None,
        digest: None,
        given: None,
        is_newest: state == FilterState::InStep,
        contact: NOW,
        state,
    };
    KnownFilter { filter, doing, per_second }
}

fn known_policy(name: &str, state: PolicyState, from: Option<u64>) -> KnownPolicy {
    let selector =
        Selector { host: None, namespace: "shop".to_owned(), service: Some("checkout".to_owned()) };
    let status = PolicyStatus {
        ends_at: None,
        file: "shop/a.yaml".to_owned(),
        halted_by: Vec::new(),
        line: 1,
        measured: None,
        name: name.to_owned(),
        no_proxy: None,
        starts_at: None,
        state,
        targets: Targets { destination: None, direction: Direction::Inbound, selector },
        warnings: Vec::new(),
        first_generation: PolicyFields::default(),
    };
    KnownPolicy {
        name: name.to_owned().try_into().unwrap(),
        status,
        configured: Shares { highest: 1.0, lowest: 1.0 },
        is_shadow: false,
        injects: true,
        in_force_from: from.map(|millis| NOW.plus_millis(millis)),
        committed: None,
        spark: Vec::new(),
    }
}

/// All is known, and nothing is injected.
fn calm() -> Facts {
    Facts {
        source: Source { is_git: true, read_at: Some(NOW), ..Source::default() },
        replicas: Replicas { total: 1, remember_all: true, ..Replicas::default() },
        ..Facts::default()
    }
}

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

/// The kinds of the banners of an overview.
fn kinds(overview: &Overview) -> Vec<String> {
    let kind = |state| serde_json::to_value(state).unwrap()["kind"].as_str().unwrap().to_owned();
    overview.banners.iter().map(|banner| kind(&banner.state)).collect()
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

#[test]
fn the_versions_of_a_service_are_one_service() {
    let filter =
        |node, service: &[&str], rate| known_filter(node, service, Doing::Injects, FilterState::InStep, rate);
    let filters = vec![
        filter("1", &["checkout", "checkout-v1"], Some(3.0)),
        filter("2", &["checkout", "checkout-v2"], Some(4.0)),
        filter("3", &["cart"], None),
    ];
    let overview = made(Facts { filters, ..calm() }, NOW);
    let [banner] = &overview.banners[..] else { panic!("{:?}", overview.banners) };
    assert_eq!(banner.sentence, "INJECTING into 2 services: 7 faults/s");
    assert!(overview.is_right(), "to inject is nothing wrong");
}

#[test]
fn what_is_in_force_and_what_comes_are_told_apart() {
    let hour = 3_600_000;
    let policies = vec![
        known_policy("b", PolicyState::Active, None),
        known_policy("a", PolicyState::Active, None),
        known_policy("later", PolicyState::Scheduled, Some(3 * hour)),
        known_policy("soon", PolicyState::Scheduled, Some(hour)),
        known_policy("tomorrow", PolicyState::Scheduled, Some(25 * hour)),
        known_policy("over", PolicyState::Expired, None),
    ];
    let facts = Facts { policies, ..calm() };
    let names = |overview: &Overview| {
        let in_force: Vec<_> = overview.in_force.items.iter().map(|policy| policy.name.clone()).collect();
        let coming: Vec<_> = overview.coming.items.iter().map(|policy| policy.name.clone()).collect();
        (in_force.join(" "), coming.join(" "))
    };
    let overview = made(facts.clone(), NOW);
    assert_eq!(names(&overview), ("a b".to_owned(), "soon later".to_owned()));
    assert_eq!(overview.coming.items[0].starts_at.0, NOW.plus_millis(hour));
    let halted = made(Facts { halt: Some(Halt::default()), ..facts }, NOW);
    assert_eq!(names(&halted), (String::new(), "soon later".to_owned()));
}

/// The first banner.
fn first(facts: Facts) -> String {
    made(facts, NOW).banners[0].sentence.clone()
}

#[test]
fn a_policy_in_force_that_no_filter_is_known_to_have_is_a_doubt() {
    let with = |change: fn(&mut KnownPolicy)| {
        let mut policy = known_policy("a", PolicyState::Active, None);
        change(&mut policy);
        Facts { policies: vec![policy], ..calm() }
    };
    let doubt = "NOT SURE: 1 policy that injects is in force, and no filter is known to have it";
    assert_eq!(first(with(|_| {})), doubt);
    assert_eq!(first(with(|policy| policy.injects = false)), "Nothing is injected");
    assert_eq!(first(with(|policy| policy.status.state = PolicyState::Inactive)), "Nothing is injected");
    let halted = made(Facts { halt: Some(Halt::default()), ..with(|_| {}) }, NOW);
    assert_eq!(kinds(&halted), ["halted", "nothing_is_injected"]);
    let injects = known_filter("n", &["cart"], Doing::Injects, FilterState::InStep, None);
    assert_eq!(first(Facts { filters: vec![injects], ..with(|_| {}) }), "INJECTING into 1 service");
}

#[test]
fn clients_that_do_not_say_what_they_run_are_a_doubt_while_they_may_have_a_policy() {
    let doubt = "NOT SURE: clients poll that do not say what they run";
    let ago = |minutes: u64| Timestamp::from_millis(NOW.as_millis() - minutes * 60_000);
    let in_force = vec![known_policy("a", PolicyState::Active, None)];
    let polled = |minutes| Facts { unreported: Some(ago(minutes)), ..calm() };
    assert_eq!(first(Facts { policies: in_force.clone(), ..polled(15) }), doubt);
    assert_ne!(first(Facts { policies: in_force, ..polled(17) }), doubt, "they are gone");
    assert_eq!(first(polled(0)), "Nothing is injected", "there was nothing to have");
    let recent = |what, minutes| {
        let policies = Listed { items: vec!["a".to_owned()], total: 1 };
        let (because, commit, why) = (None, None, Why::Commit);
        let recent = Recent { at: ago(minutes).into(), because, commit, policies, what, why };
        first(Facts { recent: vec![recent], ..polled(0) })
    };
    assert_eq!(recent(What::Went, 15), doubt);
    assert_eq!(recent(What::Changed, 15), doubt);
    assert_eq!(recent(What::Came, 15), "Nothing is injected");
    assert_eq!(recent(What::Went, 17), "Nothing is injected");
}

#[test]
fn a_source_is_stale_by_age_and_the_failure_is_the_reason() {
    let of = |seconds: u64, failure: Option<&str>, interval| {
        let read_at = Some(Timestamp::from_millis(NOW.as_millis() - seconds * 1_000));
        let (failure, interval) = (failure.map(str::to_owned), Duration::from_secs(interval));
        let overview =
            made(Facts { source: Source { read_at, interval, failure, ..calm().source }, ..calm() }, NOW);
        let Banner { sentence, state } = &overview.banners[0];
        (sentence.clone(), state.note())
    };
    let fresh = ("Nothing is injected".to_owned(), None);
    assert_eq!(of(5, Some("refused"), 30), fresh, "the next read may succeed");
    let stale =
        |length: &str, reason: &str| (format!("STALE: Git not read for {length}"), Some(reason.to_owned()));
    assert_eq!(of(31, Some("refused"), 30), fresh, "the first failure");
    assert_eq!(of(61, Some("refused"), 30), stale("1 min", "refused"));
    assert_eq!(of(60, None, 30), fresh);
    assert_eq!(of(61, None, 30), stale("1 min", "the last read does not end"));
    assert_eq!(of(1_200, None, 600), fresh);
    assert_eq!(of(29, None, 1), fresh, "a moment longer than usual");
}

#[test]
fn what_a_halt_keeps_out_of_force_is_no_trouble_and_what_comes_is_held() {
    let policies = vec![
        known_policy("a", PolicyState::Active, None),
        known_policy("soon", PolicyState::Scheduled, Some(3_600_000)),
    ];
    let facts = Facts { policies, halt: Some(Halt::default()), ..calm() };
    let halted = made(facts.clone(), NOW);
    assert!(halted.trouble.is_empty() && halted.coming.items[0].held);
    let resumed = made(Facts { halt: None, ..facts }, NOW);
    assert!(resumed.trouble.no_filter.total == 1 && !resumed.coming.items[0].held);
}

#[test]
fn a_filter_of_which_it_is_not_known_whether_it_is_gone_is_counted() {
    let unknown = known_filter("n", &["checkout"], Doing::Nothing, FilterState::Unknown, None);
    let overview = made(Facts { filters: vec![unknown], ..calm() }, NOW);
    assert_eq!(overview.filters.in_words(), "0 in step, 0 lagging, 0 gone, 1 unknown");
    assert_eq!(made(calm(), NOW).filters.in_words(), "0 in step, 0 lagging, 0 gone");
}

#[test]
fn a_policy_that_no_filter_has_is_trouble_once_all_filters_are_known() {
    let facts = Facts { policies: vec![known_policy("a", PolicyState::Active, None)], ..calm() };
    let overview = made(facts.clone(), NOW);
    assert_eq!(overview.trouble.no_filter.items[0].reason, "no filter polls at all");
    let replicas = Replicas { settled_in: Duration::from_secs(1), ..facts.replicas.clone() };
    assert!(made(Facts { replicas, ..facts }, NOW).trouble.is_empty());
}

#[test]
fn it_stays_small_whatever_a_mesh_has() {
    let commit = HistoryCommit {
        author: "a".repeat(60),
        id: "4f1d".repeat(10),
        subject: "s".repeat(200),
        time: NOW.into(),
    };
    let policy = |number: usize| {
        let states = [PolicyState::Active, PolicyState::Inactive, PolicyState::Scheduled];
        let name = format!("policy-{number:03}-{}", "n".repeat(40));
        let mut known = known_policy(&name, states[number % 3], Some(1_000));
        // The rate rises with the number.
        known.status.measured = Some(measured(number as f64));
        known.spark = vec![1_234.5; 60];
        known.committed = Some(commit.clone());
        known
    };
    let filter = |number: usize| {
        let state = FilterState::ALL[number % 3];
        let node = format!("sidecar~10.0.0.1~{}-{number}.shop~cluster.local", "n".repeat(60));
        known_filter(&node, &["checkout"], Doing::MayInject, state, Some(1.0))
    };
    let error = Finding { file: "f".repeat(100), message: "m".repeat(300), ..Finding::default() };
    let rejected = RejectedFile { errors: vec![error; 50], file: "f".repeat(100) };
    let facts = Facts {
        policies: (0..500).map(policy).collect(),
        filters: (0..20_000).map(filter).collect(),
        rejected: vec![rejected; 100],
        ..calm()
    };
    let overview = made(facts, NOW);
    assert_eq!((overview.in_force.total, overview.in_force.items.len()), (167, 50));
    assert!(
        overview.in_force.items[0].name.starts_with("policy-351-"),
        "{}",
        overview.in_force.items[0].name
    );
    assert_eq!((overview.trouble.gone.total, overview.trouble.gone.more()), (6_666, 6_646));
    assert_eq!((overview.trouble.rejected.total, overview.trouble.rejected.items[0].errors.total), (100, 50));
    let length = serde_json::to_vec(&overview).unwrap().len();
    assert!(length < 200_000, "{length}");
}
