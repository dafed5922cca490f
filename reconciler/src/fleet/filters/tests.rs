use std::{
    net::Ipv4Addr,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use policies::{
    Digest, Scope,
    wire::{PluginNames, poll::NodeId},
};

use super::{Filter, Filters, Origin, Poll, Recorded, judged_by, remembered::MAX_FILTERS};
use crate::{
    api::filters::FilterState, clients::Prefixes, fleet::sighting::Sighting, serving::published::Variant,
};

const MINUTE: u64 = 60_000;

static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

fn instant(millis: u64) -> Instant {
    *BEGIN + Duration::from_millis(millis)
}

fn unknown() -> Arc<Variant> {
    Arc::new(Scope::unknown().into())
}

fn filters(polls: &[(u64, &str, &[u8])]) -> Filters {
    let filters = Filters::default();
    for (minute, node, body) in polls {
        poll(&filters, *minute, origin(1), node, body);
    }
    filters
}

fn origin(end: u8) -> Origin {
    let client = Prefixes::default().client(Ipv4Addr::new(10, 0, 0, end).into());
    Origin { client, is_own: false }
}

fn poll(filters: &Filters, minute: u64, origin: Origin, node: &str, body: &[u8]) {
    let variant = unknown();
    let poll = Poll { digest: Some(Digest::of(body)), ..poll_of(node, &variant) };
    polled_at(filters, instant(minute * MINUTE), origin, poll);
}

fn polled_at(filters: &Filters, at: Instant, origin: Origin, poll: Poll<'_>) -> Option<Recorded> {
    filters.polled_at(at, origin, poll, Arc::clone)
}

/// A poll of a filter that runs nothing.
fn poll_of<'v>(node: &str, variant: &'v Arc<Variant>) -> Poll<'v> {
    let (node, wait) = (NodeId::parse(node).unwrap(), Duration::from_secs(30));
    Poll { node, variant, digest: None, plugins: None, wait }
}

fn list_at(filters: &Filters, now: Instant, newest: impl Fn(&Variant) -> Option<Digest>) -> Vec<Filter> {
    judged_by(filters.sightings_at(now), newest)
}

fn states(filters: &Filters, minute: u64) -> Vec<(String, FilterState)> {
    let list = list_at(filters, instant(minute * MINUTE), |_| Some(Digest::of(b"new")));
    list.iter().map(|filter| (filter.node.as_str().to_owned(), filter.state)).collect()
}

#[test]
fn a_filter_is_in_step_or_lags_or_is_gone_and_then_forgotten() {
    let filters = filters(&[(0, "a", b"old"), (1, "b", b"new"), (1, "c", b"old"), (5, "a", b"new")]);
    let is = |name: &str, state| (name.to_owned(), state);
    assert_eq!(
        states(&filters, 2),
        [is("a", FilterState::InStep), is("b", FilterState::InStep), is("c", FilterState::Lagging)]
    );
    assert_eq!(
        states(&filters, 6),
        [is("a", FilterState::InStep), is("b", FilterState::Gone), is("c", FilterState::Gone)]
    );
    // For 15 minutes after its last poll it may inject.
    assert_eq!(states(&filters, 16).len(), 3);
    assert_eq!(states(&filters, 18), [is("a", FilterState::Gone)]);
}

#[test]
fn a_node_whose_plugin_changed_is_still_one() {
    let filters = filters(&[(0, "a", b"old")]);
    let at = instant(1);
    let other = Scope::new(["demo"], ["checkout"]).unwrap();
    let variant = Arc::new(other.clone().into());
    polled_at(&filters, at, origin(1), Poll { digest: Some(Digest::of(b"new")), ..poll_of("a", &variant) });
    let list = list_at(&filters, at, |variant| (variant.scope == other).then_some(Digest::of(b"new")));
    let [filter] = &list[..] else { panic!("{list:?}") };
    assert_eq!((&filter.variant.scope, filter.state), (&other, FilterState::InStep));
}

#[test]
fn the_scope_of_a_workload_is_remembered_once() {
    let (filters, kept) = (Filters::default(), namespaces(1));
    for (number, node) in (0..).zip(["a", "b", "a"]) {
        let variant = namespaces(1);
        let shared = |_: &Arc<_>| {
            assert!(number < 2, "it is known of this one");
            Arc::clone(&kept)
        };
        filters.polled_at(instant(number), origin(1), poll_of(node, &variant), shared);
        filters.lock().all().for_each(|seen| assert!(Arc::ptr_eq(&seen.variant, &kept)));
    }
}

#[test]
fn there_is_an_end_to_how_many_are_remembered() {
    let filters = Filters::default();
    let poll = |i: usize| poll(&filters, 0, origin(1), &format!("n{i}"), b"new");
    (0..MAX_FILTERS.get()).for_each(poll);
    // It polls again.
    poll(0);
    (MAX_FILTERS.get()..MAX_FILTERS.get() + 10).for_each(poll);
    let list = list_at(&filters, instant(0), |_| None);
    assert_eq!(list.len(), MAX_FILTERS.get());
    let is_remembered = |node| list.iter().any(|filter| filter.node.as_str() == node);
    let remembered = ["n0", "n1", "n10", "n11"].map(is_remembered);
    assert_eq!(remembered, [true, false, false, true], "those that polled longest ago are forgotten");
    let is_complete = |minute: u64| filters.lock().is_complete(instant(minute * MINUTE));
    assert_eq!((is_complete(16), is_complete(17)), (false, true));
}

#[test]
fn filters_that_ask_for_many_names_are_fewer() {
    let filters = Filters::default();
    let names: Vec<_> = (0..40).map(|at| format!("s{at}")).collect();
    let scope = Arc::new(Scope::new(["demo"], names.iter().map(String::as_str)).unwrap().into());
    for at in 0..MAX_FILTERS.get() {
        poll_for(&filters, &format!("n{at}"), &scope);
    }
    assert_eq!(filters.lock().filters.len(), MAX_FILTERS.get() / 11);
    poll(&filters, 0, origin(2), "one-more", b"new");
    let remembered = filters.lock();
    let weights = remembered.filters.iter().map(|(_, seen)| seen.variant.weight() as usize);
    assert_eq!(remembered.shares.taken(), weights.sum::<usize>());
}

/// The scope of a waypoint of so many namespaces.
fn namespaces(number: usize) -> Arc<Variant> {
    let names: Vec<_> = (0..number).map(|at| format!("n{at}")).collect();
    Arc::new(Scope::new(names.iter().map(String::as_str), ["*"]).unwrap().into())
}

fn poll_for(filters: &Filters, node: &str, scope: &Arc<Variant>) {
    polled_at(filters, instant(0), origin(1), poll_of(node, scope));
}

#[test]
fn a_node_gives_back_the_places_of_its_former_scope() {
    let filters = Filters::default();
    let (wide, narrow) = (namespaces(39), namespaces(1));
    for (scope, places) in [(&wide, 10), (&narrow, 1), (&wide, 10), (&wide, 10), (&narrow, 1)] {
        poll_for(&filters, "a", scope);
        assert_eq!(filters.lock().shares.taken(), places);
    }
}

#[test]
fn nodes_that_ask_for_more_names_later_are_fewer_too() {
    let filters = Filters::default();
    for scope in [namespaces(1), namespaces(39)] {
        for node in 0..MAX_FILTERS.get() {
            poll_for(&filters, &format!("n{node}"), &scope);
        }
    }
    let remembered = filters.lock();
    let weights = remembered.filters.iter().map(|(_, seen)| seen.variant.weight() as usize);
    let places = weights.sum::<usize>();
    assert_eq!(remembered.shares.taken(), places);
    assert!(places <= MAX_FILTERS.get(), "{places}");
}

#[test]
fn a_name_is_believed_from_one_client_until_it_is_gone() {
    let filters = filters(&[(0, "a", b"new")]);
    let (own, owns_too) = (Origin { is_own: true, ..origin(3) }, Origin { is_own: true, ..origin(4) });
    for (minute, origin, body, expected) in [
        (0, origin(2), b"old", FilterState::InStep),
        (0, origin(1), b"old", FilterState::Lagging),
        (0, origin(2), b"new", FilterState::Lagging),
        // It has the address that is in the name.
        (0, own, b"new", FilterState::InStep),
        (0, origin(1), b"old", FilterState::InStep),
        (0, owns_too, b"old", FilterState::InStep),
        // It is gone.
        (5, origin(2), b"old", FilterState::Lagging),
    ] {
        poll(&filters, minute, origin, "a", body);
        assert_eq!(states(&filters, minute), [("a".to_owned(), expected)], "{origin:?} {body:?}");
    }
    assert_eq!(filters.lock().shares.taken(), 1);
}

#[test]
fn false_names_push_no_true_ones_out() {
    let filters = Filters::default();
    poll(&filters, 0, origin(1), "true", b"new");
    for i in 0..MAX_FILTERS.get() + 10 {
        poll(&filters, 0, origin(2), &format!("false{i}"), b"new");
    }
    poll(&filters, 0, origin(3), "also-true", b"new");
    let known = states(&filters, 0);
    assert_eq!(known.len(), MAX_FILTERS.get());
    for name in ["true", "also-true"] {
        assert!(known.iter().any(|(node, _)| node == name), "{name} was pushed out");
    }
    // Once they are gone, others are remembered in their place.
    poll(&filters, 5, origin(2), "one-more", b"new");
    assert!(states(&filters, 5).iter().any(|(node, _)| node == "one-more"));
    let remembered = filters.lock();
    assert_eq!(remembered.shares.taken(), remembered.filters.len());
}

/// What is known of the plugins of the node `a`, after polls of it: each its second, the end of its address, and what it
/// names.
fn plugins(polls: &[(u64, u8, Option<&str>)], now: u64) -> Option<String> {
    let (filters, variant) = (Filters::default(), unknown());
    let at = |second: u64| instant(second * 1_000);
    for (second, end, names) in polls {
        let plugins = names.map(|names| PluginNames::parse(names).unwrap());
        let is_own = *end == 1;
        let origin = Origin { is_own, ..origin(*end) };
        polled_at(&filters, at(*second), origin, Poll { plugins, ..poll_of("a", &variant) });
    }
    let [filter] = &list_at(&filters, at(now), |_| None)[..] else { panic!("it is one node") };
    filter.plugins.as_ref().map(|names| names.as_str().to_owned())
}

#[test]
fn the_last_poll_says_which_plugins_run() {
    let both = "demo/in,demo/out";
    assert_eq!(plugins(&[(0, 1, Some(both))], 0).as_deref(), Some(both));
    assert_eq!(plugins(&[(0, 1, Some(both)), (30, 1, Some("demo/in"))], 30).as_deref(), Some("demo/in"));
    assert_eq!(plugins(&[(0, 1, None)], 0), None);
}

#[test]
fn what_a_newer_release_names_counts_once_no_older_one_polls_for_the_proxy() {
    let polls = [(0, 1, None), (10, 1, Some("demo/in")), (40, 1, Some("demo/in"))];
    // The poll without names is held for 30 s, and then overdue after a minute.
    assert_eq!(plugins(&polls, 90), None);
    assert_eq!(plugins(&polls, 91).as_deref(), Some("demo/in"));
    assert_eq!(
        plugins(&[(0, 1, Some("demo/in")), (10, 1, None)], 20),
        None,
        "the release is an older one now"
    );
}

#[test]
fn an_older_release_counts_on_when_the_node_takes_more_places() {
    let (filters, narrow, wide) = (Filters::default(), namespaces(1), namespaces(39));
    let names = || PluginNames::parse("demo/in");
    polled_at(&filters, instant(0), origin(1), poll_of("a", &narrow));
    for variant in [&narrow, &wide] {
        let poll = Poll { plugins: names(), ..poll_of("a", variant) };
        polled_at(&filters, instant(1_000), origin(1), poll);
    }
    let plugins = |second: u64| {
        let list = list_at(&filters, instant(second * 1_000), |_| None);
        list.into_iter().map(|filter| filter.plugins).collect::<Vec<_>>()
    };
    assert_eq!((plugins(90), plugins(91)), (vec![None], vec![names()]));
}

#[test]
fn a_shorter_poll_does_not_end_a_longer_one() {
    let (filters, variant) = (Filters::default(), unknown());
    for wait in [300, 1] {
        let poll = Poll { wait: Duration::from_secs(wait), ..poll_of("a", &variant) };
        polled_at(&filters, instant(0), origin(1), poll);
    }
    assert_eq!(states(&filters, 6), [("a".to_owned(), FilterState::Lagging)]);
    assert_eq!(states(&filters, 7), [("a".to_owned(), FilterState::Gone)]);
}

#[test]
fn a_filter_may_run_what_it_was_given_until_it_says_what_it_runs() {
    let (filters, variant) = (Filters::default(), unknown());
    let at = |second: u64| instant(second * 1_000);
    let [empty, policy] = [b"empty".as_slice(), b"policy"].map(Digest::of);
    let polls = |second, digest| {
        let poll = Poll { digest, ..poll_of("a", &variant) };
        polled_at(&filters, at(second), origin(1), poll).unwrap()
    };
    let gives = |second, to, end, digest| filters.was_given_at(at(second), to, origin(end).client, digest);
    let known = |second, newest| {
        let [filter] = &list_at(&filters, at(second), |_| Some(newest))[..] else { panic!("it is one node") };
        (filter.given, filter.state)
    };
    let poll = polls(0, Some(empty));
    gives(1, poll, 2, policy);
    assert_eq!(known(1, empty), (None, FilterState::InStep), "another client was given it");
    gives(1, poll, 1, policy);
    assert_eq!(known(2, empty), (Some(policy), FilterState::Lagging));
    polls(3, None);
    assert_eq!(known(3, empty), (Some(policy), FilterState::Lagging), "it does not say what it runs");
    let poll = polls(4, Some(policy));
    assert_eq!(known(4, policy), (None, FilterState::InStep));
    gives(5, poll, 1, empty);
    assert_eq!(known(5, policy), (Some(empty), FilterState::Lagging));
    gives(6, poll, 1, policy);
    assert_eq!(known(6, policy), (None, FilterState::InStep), "it is what it runs");
    gives(7, poll, 1, empty);
    polls(8, Some(policy));
    assert_eq!(known(8, policy), (None, FilterState::InStep), "it goes on with what it ran");
}

#[test]
fn a_filter_is_remembered_from_the_time_at_which_it_was_given_something() {
    let (filters, variant) = (Filters::default(), unknown());
    let at = |minute: u64| instant(minute * MINUTE);
    let recorded = polled_at(&filters, at(0), origin(1), poll_of("a", &variant)).unwrap();
    filters.was_given_at(at(4), recorded, origin(1).client, Digest::of(b"policy"));
    poll(&filters, 1, origin(2), "b", b"old");
    assert_eq!(states(&filters, 17).len(), 2);
    // The other one is forgotten before it, though it polled later.
    for minute in [18, 20] {
        assert_eq!(states(&filters, minute), [("a".to_owned(), FilterState::Gone)]);
    }
    assert!(states(&filters, 21).is_empty());
}

#[test]
fn what_a_filter_says_to_another_replica_is_known_when_that_replica_is_gone() {
    let at = |second: u64| instant(second * 1_000);
    let [empty, policy] = [b"empty".as_slice(), b"policy"].map(Digest::of);
    let (filters, variant) = (Filters::default(), unknown());
    let poll = Poll { digest: Some(empty), ..poll_of("a", &variant) };
    let poll = polled_at(&filters, at(0), origin(1), poll).unwrap();
    filters.was_given_at(at(5), poll, origin(1).client, policy);
    let said = Sighting {
        node: NodeId::parse("a").unwrap(),
        variant: unknown(),
        plugins: None,
        digest: Some(policy),
        given: None,
        contact: at(7),
        is_gone: false,
        is_own: true,
    };
    filters.said_elsewhere(&[said], Duration::from_secs(1));
    let [filter] = &list_at(&filters, at(9), |_| Some(empty))[..] else { panic!("it is one node") };
    assert_eq!((filter.digest, filter.given.is_none()), (Some(policy), true));
    assert_eq!(filter.state, FilterState::Lagging);
}

#[test]
fn what_a_filter_was_given_is_settled_by_what_it_says_later_to_another_replica() {
    let at = |second: u64| instant(second * 1_000);
    let [empty, policy] = [b"empty".as_slice(), b"policy"].map(Digest::of);
    // It was given the policy in second 5. The times of the other replica may be a second too late.
    let is_open = |is_own: bool, said: &Sighting| {
        let (filters, variant) = (Filters::default(), unknown());
        let poll = Poll { digest: Some(empty), ..poll_of("a", &variant) };
        let poll = polled_at(&filters, at(0), Origin { is_own, ..origin(1) }, poll).unwrap();
        filters.was_given_at(at(5), poll, origin(1).client, policy);
        filters.said_elsewhere(std::slice::from_ref(said), Duration::from_secs(1));
        let [filter] = &list_at(&filters, at(9), |_| Some(empty))[..] else { panic!("it is one node") };
        assert_eq!(filter.given.is_none(), filter.state == FilterState::InStep);
        filter.given.is_some()
    };
    let said = Sighting {
        node: NodeId::parse("a").unwrap(),
        variant: unknown(),
        plugins: None,
        digest: Some(empty),
        given: None,
        contact: at(7),
        is_gone: false,
        is_own: true,
    };
    assert!(!is_open(true, &said) && !is_open(false, &said));
    assert!(is_open(true, &Sighting { contact: at(6), ..said.clone() }), "it may have said it before");
    assert!(is_open(true, &Sighting { digest: None, ..said.clone() }), "it does not say what it runs");
    assert!(is_open(true, &Sighting { node: NodeId::parse("b").unwrap(), ..said.clone() }), "another filter");
    let foreign = Sighting { is_own: false, ..said };
    assert!(!is_open(false, &foreign));
    assert!(is_open(true, &foreign), "it does not come from its address");
}

#[test]
fn the_word_of_another_client_ends_with_its_name() {
    // The second one has the address of the node.
    assert_eq!(plugins(&[(0, 2, None), (1, 1, Some("demo/in"))], 1).as_deref(), Some("demo/in"));
    assert_eq!(plugins(&[(0, 1, Some("demo/in")), (1, 2, Some("demo/out"))], 1).as_deref(), Some("demo/in"));
}

#[test]
fn answers_in_a_row_count_however_many_they_are_and_in_order() {
    let (filters, variant) = (Filters::default(), unknown());
    let (old, new) = (Digest::of(b"old"), Digest::of(b"new"));
    let says = |node: &str, at, digest| {
        polled_at(&filters, instant(at), origin(1), Poll { digest: Some(digest), ..poll_of(node, &variant) })
    };
    for count in [1, 63, 64, 65, 200] {
        let nodes: Vec<_> = (0..count).map(|number| format!("n{number:03}")).collect();
        let polls: Vec<_> = nodes.iter().map(|node| says(node, 0, old).unwrap()).collect();
        polls.iter().for_each(|poll| filters.was_given_at(instant(1), *poll, origin(1).client, new));
        let is_newest = || {
            let filters = list_at(&filters, instant(3), |_| Some(old));
            filters.iter().map(|filter| filter.is_newest).collect::<Vec<_>>()
        };
        assert_eq!(is_newest(), vec![false; count], "they may run what they were given");
        // What they say afterwards settles it.
        polls.iter().for_each(|poll| filters.was_given_at(instant(1), *poll, origin(1).client, new));
        nodes.iter().for_each(|node| assert!(says(node, 2, old).is_some()));
        assert_eq!(is_newest(), vec![true; count]);
    }
}
