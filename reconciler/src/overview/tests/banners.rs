//! What the banners say, case by case.

use std::time::Duration;

use policies::Timestamp;

use super::{
    Banner, Doing, Facts, FilterState, Halt, KnownPolicy, Listed, NOW, PolicyState, Recent, Source, What,
    Why, calm, kinds, known_filter, known_policy, made,
};

/// The first banner.
fn first(facts: Facts) -> String {
    made(facts, NOW).banners[0].sentence.clone()
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
