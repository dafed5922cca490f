//! The VM that polls tells what the policies did in its proxy, so that the server shows it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use filter::{clock::Instant, identity::Identity, request::fate::Fate, sync::shared_data::SharedData};
use policies::wire::{Count, FaultReport, MAX_REPORT_BYTES, PluginName, poll};

use crate::world::{Data, World, checkout, good, header, not_modified, snapshot, snapshot_of};

const SECOND: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(200);

fn start() -> Instant {
    Instant::from_origin(1_000 * SECOND)
}

/// Policy for the path `/NAME`, with this fault.
fn policy(name: &str, mode: &str, fault: &str) -> String {
    format!(
        "metadata: {{name: {name}}}\nspec: {{mode: {mode}, rules: [{{match: {{path: {{exact: /{name}}}}}, fault: {{{fault}}}}}]}}\n---\n"
    )
}

fn aborting(name: &str) -> String {
    policy(name, "inject", "percentage: 100, abort: {httpStatus: 503}")
}

/// Root with this shared data that runs these policies.
fn running(data: &Data, config: &str, policies: &str) -> World {
    let mut world = World::joining(data, config, 1, start());
    world.until_poll();
    world.answer(good(snapshot_of(policies)));
    world
}

/// What the next poll tells, once it comes and is answered: name and six counts of each policy.
fn told(world: &mut World) -> Vec<(String, [u64; 6])> {
    let report = report(world);
    let counts = |counts: policies::wire::FaultCounts| counts.into_array().map(Count::get);
    report.rows().iter().map(|row| (row.name.as_str().to_owned(), counts(row.counts))).collect()
}

fn report(world: &mut World) -> FaultReport {
    let (poll, _) = world.until_poll();
    world.answer(not_modified());
    FaultReport::parse(header(&poll, poll::FAULTS).expect("it tells nothing")).expect("it is a report")
}

/// How long the server may hold the next poll, in seconds. It is answered at the end of that time.
fn wait(world: &mut World) -> u64 {
    let (poll, _) = world.until_poll();
    let wait = header(&poll, poll::PREFER).and_then(|wait| wait.strip_prefix("wait=")).unwrap();
    let wait = wait.parse().unwrap();
    world.pass(Duration::from_secs(wait));
    world.answer(not_modified());
    wait
}

fn row(name: &str, counts: [u64; 6]) -> (String, [u64; 6]) {
    (name.to_owned(), counts)
}

#[test]
fn each_thing_is_counted_for_its_policy() {
    let policies = [
        aborting("abort"),
        policy("delay", "inject", "percentage: 100, delay_ms: 1000"),
        policy("both", "inject", "percentage: 100, delay_ms: 1000, abort: {httpStatus: 503}"),
        policy("late", "inject", "percentage: 100, start_delay_ms: 1000, abort: {httpStatus: 503}"),
        policy("shadow", "shadow", "percentage: 100, abort: {httpStatus: 503}"),
        policy("never", "inject", "percentage: 0, abort: {httpStatus: 503}"),
    ];
    let mut world = running(&Data::default(), r#", "max_active_faults": 3"#, &policies.concat());
    for (id, path) in ["/delay", "/both", "/late"].into_iter().enumerate() {
        assert_eq!(world.serve(id as u32, path), Some(Fate::Hold), "{path}");
    }
    assert_eq!(world.serve(4, "/delay"), Some(Fate::Overflow));
    assert!(matches!(world.serve(5, "/abort"), Some(Fate::Abort(_))));
    assert_eq!(world.serve(6, "/shadow"), Some(Fate::Shadow));
    assert_eq!((world.serve(7, "/never"), world.serve(8, "/elsewhere")), (None, None));
    world.pass(SECOND);
    assert_eq!(world.release().len(), 2);
    let mut told = told(&mut world);
    told.sort_unstable();
    // Matched, chosen, aborts, delays, shadow, overflow.
    let expected = [
        row("abort", [1, 1, 1, 0, 0, 0]),
        row("both", [1, 1, 1, 1, 0, 0]),
        row("delay", [2, 2, 0, 1, 0, 1]),
        row("late", [1, 1, 1, 0, 0, 0]),
        row("never", [1, 0, 0, 0, 0, 0]),
        row("shadow", [1, 1, 0, 0, 1, 0]),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_new_snapshot_with_other_positions_mixes_nothing() {
    let mut world = running(&Data::default(), "", &[aborting("a"), aborting("b")].concat());
    world.serve(1, "/b");
    world.until_poll();
    world.answer(good(snapshot_of(&[aborting("b"), aborting("c")].concat())));
    ["/b", "/c", "/c"].into_iter().for_each(|path| drop(world.serve(1, path)));
    let mut told = told(&mut world);
    told.sort_unstable();
    assert_eq!(told, [row("b", [2, 2, 2, 0, 0, 0]), row("c", [2, 2, 2, 0, 0, 0])]);
}

#[test]
fn nothing_is_told_before_anything_is_counted() {
    let mut world = running(&Data::default(), "", &aborting("a"));
    let (poll, _) = world.until_poll();
    assert_eq!(header(&poll, poll::FAULTS), None);
}

#[test]
fn every_ten_seconds_while_a_policy_is_in_force_and_otherwise_only_news() {
    let mut world = World::new("");
    world.until_poll();
    world.answer(good(snapshot("elsewhere")));
    assert_eq!([wait(&mut world), wait(&mut world)], [30, 30], "nothing is in force");
    world.until_poll();
    world.answer(good(snapshot("checkout")));
    assert_eq!([wait(&mut world), wait(&mut world)], [10, 10]);
    assert!(world.injects());
    world.until_poll();
    world.answer(good(snapshot("elsewhere")));
    assert_eq!(
        [wait(&mut world), wait(&mut world), wait(&mut world)],
        [10, 30, 30],
        "it is told, and then known"
    );
}

#[test]
fn as_often_as_the_configuration_says() {
    let mut world = running(&Data::default(), r#", "report_interval_seconds": 2"#, &aborting("a"));
    world.serve(1, "/a");
    assert_eq!(wait(&mut world), 2);
}

#[test]
fn an_answer_at_the_end_of_a_short_wait_is_not_early() {
    let mut world = running(&Data::default(), "", &aborting("a"));
    wait(&mut world);
    assert_eq!(world.until_poll().1, Duration::ZERO);
}

#[test]
fn what_was_not_answered_is_told_again() {
    let mut world = running(&Data::default(), "", &aborting("a"));
    world.serve(1, "/a");
    let told_first = told(&mut world);
    world.until_poll();
    world.plugin.handle_failure("lost".to_owned(), world.now);
    assert_eq!(told(&mut world), told_first);
}

#[test]
fn what_changed_comes_first_then_what_was_told_longest_ago() {
    let names: Vec<_> = (0..60).map(|number| format!("policy-with-a-rather-long-name-{number:02}")).collect();
    let all: String = names.iter().map(|name| aborting(name)).collect();
    let mut world = running(&Data::default(), "", &all);
    names.iter().for_each(|name| drop(world.serve(1, &format!("/{name}"))));
    world.pass(TICK);
    let mut last_report = BTreeMap::new();
    for number in 0..3 {
        let report = report(&mut world);
        assert!(report.to_string().len() > MAX_REPORT_BYTES - 60, "the header is full");
        last_report.extend(report.rows().iter().map(|row| (row.name.as_str().to_owned(), number)));
    }
    assert_eq!(last_report.len(), names.len(), "all in as few polls as they need");
    // Nothing is news now, except for one.
    world.serve(1, &format!("/{}", names[33]));
    world.pass(TICK);
    let next = told(&mut world);
    assert_eq!(next[0], row(&names[33], [2, 2, 2, 0, 0, 0]));
    last_report.remove(&names[33]);
    let mut oldest_first: Vec<_> = last_report.values().copied().collect();
    oldest_first.sort_unstable();
    let then: Vec<_> = next[1..].iter().map(|(name, _)| last_report[name]).collect();
    assert_eq!(then, oldest_first[..then.len()]);
}

#[test]
fn each_has_its_turn_whether_all_are_news_or_none_is() {
    let names: Vec<_> = (0..60).map(|number| format!("policy-with-a-rather-long-name-{number:02}")).collect();
    let all: String = names.iter().map(|name| aborting(name)).collect();
    let mut world = running(&Data::default(), "", &all);
    for is_busy in [true, false] {
        let mut seen = BTreeSet::new();
        for _ in 0..3 {
            if is_busy {
                names.iter().for_each(|name| drop(world.serve(1, &format!("/{name}"))));
            }
            seen.extend(told(&mut world).into_iter().map(|(name, _)| name));
        }
        assert_eq!(seen.len(), names.len(), "{is_busy}");
        // What is still news.
        (0..3).for_each(|_| drop(told(&mut world)));
    }
}

#[test]
fn all_plugins_of_a_proxy_tell_the_same() {
    let data = Data::default();
    let policies = [aborting("a"), aborting("b")].concat();
    let mut one = running(&data, "", &policies);
    let identity = Identity { plugin: PluginName::parse("demo/other"), ..checkout() };
    let mut other = World::of(identity, &data, r#", "report_interval_seconds": 5"#, 2, one.now);
    other.until_poll();
    other.answer(good(snapshot_of(&policies)));
    one.now = other.now;
    one.serve(1, "/a");
    other.serve(1, "/a");
    other.serve(1, "/b");
    for world in [&mut one, &mut other] {
        world.pass(SECOND);
        world.refresh();
    }
    let (mut one, mut other) = (report(&mut one), report(&mut other));
    assert_eq!((one.epoch(), one.rows()), (other.epoch(), other.rows()));
    assert_eq!(one.rows().len(), 2);
    (one, other) = (other, one);
    assert_eq!(one.to_string(), other.to_string());
}

#[test]
fn another_life_of_the_proxy_is_another_epoch() {
    let epoch = |seed| {
        let mut world = World::joining(&Data::default(), "", seed, start());
        world.until_poll();
        world.answer(good(snapshot_of(&aborting("a"))));
        world.serve(1, "/a");
        report(&mut world).epoch().clone()
    };
    assert_ne!(epoch(1), epoch(2));
}

#[test]
fn a_record_that_is_not_one_begins_another_epoch() {
    let data = Data::default();
    let mut world = running(&data, "", &aborting("a"));
    world.serve(1, "/a");
    let before = report(&mut world);
    let key = data.keys().into_iter().find(|key| key.contains("faults")).unwrap();
    for garbage in [&b"\xff\xff\xff"[..], b"", &[0; 1_000]] {
        data.set(&key, garbage, None);
        world.serve(1, "/a");
        for _ in 0..2 {
            world.pass(TICK);
            world.refresh();
        }
        let report = report(&mut world);
        assert_ne!(report.epoch(), before.epoch());
        assert_eq!(report.rows()[0].counts.matched.get(), 1);
    }
}

#[test]
fn policies_beyond_the_limit_are_counted_together() {
    let names: Vec<_> = (0..300).map(|number| format!("p{number}")).collect();
    let all: String = names.iter().map(|name| aborting(name)).collect();
    let mut world = running(&Data::default(), "", &all);
    for name in names.iter().chain(&names) {
        world.serve(1, &format!("/{name}"));
        world.pass(TICK);
        world.refresh();
    }
    let mut told_of = BTreeMap::new();
    for _ in 0..20 {
        told_of.extend(told(&mut world));
    }
    assert_eq!(told_of.len(), 257);
    assert_eq!(told_of["_other"], [88, 88, 88, 0, 0, 0]);
    assert_eq!(told_of["p255"], [2, 2, 2, 0, 0, 0]);
}
