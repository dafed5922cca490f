//! Requests that are held go on without their fault as soon as what holds them is no longer in force.

use std::time::Duration;

use filter::{event::Event, request::held::Outcome};
use policies::{Timestamp, evaluation::StaticRequest};

use crate::world::{Data, World, good, not_modified, snapshot_of};

const SLOW: &str = "
metadata: {name: slow}
spec: {rules: [{match: {path: {exact: /slow}}, fault: {percentage: 100, delay_ms: 20000, abort: {httpStatus: 503}}}]}
---
metadata: {name: slower}
spec: {rules: [{match: {path: {exact: /slower}}, fault: {percentage: 100, delay_ms: 30000}}]}
";

/// VM that runs these policies.
fn running(yaml: &str, config: &str) -> World {
    let mut world = World::new(config);
    world.until_poll();
    world.answer(good(snapshot_of(yaml)));
    world
}

/// Holds a request for each path, with the position of the path as its id.
fn hold(world: &mut World, paths: &[&str]) {
    for (id, path) in (0..).zip(paths) {
        let request = StaticRequest { target: Some((*path).into()), ..StaticRequest::default() };
        let decision = world.plugin.decide(&request, || None).expect(path);
        world.plugin.hold(id, decision, world.now, Timestamp::from_millis(0));
    }
}

/// Requests that the next tick cancels.
fn cancelled(world: &mut World) -> Vec<u32> {
    world.pass(world.plugin.next_tick(world.now));
    let due = world.plugin.take_due(world.now);
    assert!(due.iter().all(|due| due.outcome == Outcome::Cancel), "{due:?}");
    due.into_iter().map(|due| due.context_id).collect()
}

#[test]
fn after_a_snapshot_without_their_policy() {
    let mut world = running(SLOW, "");
    hold(&mut world, &["/slow", "/slower", "/slow"]);
    world.until_poll();
    world.answer(good(snapshot_of(SLOW.split("---").nth(1).unwrap())));
    assert_eq!(cancelled(&mut world), [0, 2]);
    assert_eq!(world.plugin.held_requests(), 1, "the other policy is unchanged");
}

#[test]
fn after_an_empty_snapshot_all_of_them_within_milliseconds() {
    let mut world = running(SLOW, "");
    hold(&mut world, &["/slow"; 5_000]);
    world.until_poll();
    world.answer(good(snapshot_of("")));
    let begun = world.now;
    let mut released = Vec::new();
    while world.plugin.held_requests() > 0 {
        released.extend(cancelled(&mut world));
    }
    assert!(world.now.since(begun) <= Duration::from_millis(50), "{:?}", world.now.since(begun));
    released.sort_unstable();
    assert!(released.into_iter().eq(0..5_000));
}

#[test]
fn after_an_edit_of_their_rule_but_not_of_another() {
    let mut world = running(SLOW, "");
    hold(&mut world, &["/slow", "/slower"]);
    world.until_poll();
    world.answer(good(snapshot_of(&SLOW.replace("503", "504"))));
    assert_eq!(cancelled(&mut world), [0]);
}

#[test]
fn by_a_vm_that_does_not_poll_itself() {
    let data = Data::default();
    let mut leader = World::joining(&data, "", 1, World::new("").now);
    leader.until_poll();
    leader.answer(good(snapshot_of(SLOW)));
    let mut follower = World::joining(&data, "", 2, leader.now);
    hold(&mut follower, &["/slow"]);
    // Even if the notification is lost, it looks for itself within half of the 200 ms.
    assert_eq!(follower.plugin.next_tick(follower.now), Duration::from_millis(100));
    leader.until_poll();
    leader.answer(good(snapshot_of("")));

    follower.now = leader.now;
    follower.refresh();
    assert_eq!(cancelled(&mut follower), [0]);
}

#[test]
fn at_the_end_of_their_policy() {
    let ending = SLOW.replace("spec: {", "spec: {expiresAt: 1970-01-01T00:00:05Z, ");
    let mut world = running(&ending, "");
    hold(&mut world, &["/slow", "/slower"]);
    world.pass(Duration::from_millis(4_999));
    assert!(world.plugin.take_due(world.now).is_empty());
    world.pass(Duration::from_millis(1));
    assert_eq!(world.plugin.take_due(world.now).len(), 2);
}

#[test]
fn when_nobody_is_heard_of_for_too_long() {
    let mut world = running(SLOW, r#", "max_staleness_seconds": 10"#);
    world.pass(Duration::from_secs(5));
    hold(&mut world, &["/slow", "/slower"]);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.refresh(), [Event::Stale]);
    assert_eq!(cancelled(&mut world), [0, 1]);
}

#[test]
fn but_not_while_nothing_changes() {
    let mut world = running(SLOW, "");
    hold(&mut world, &["/slow", "/slower"]);
    for answer in [not_modified(), good(snapshot_of(SLOW)), good(b"hfi\x01garbage".to_vec())] {
        world.until_poll();
        world.answer(answer);
        assert!(world.plugin.take_due(world.now).is_empty());
    }
    // Its priority, and other policies, do not concern what is held.
    let changed = SLOW.replace("spec: {", "spec: {priority: 5, ")
        + "---\nmetadata: {name: other}\nspec: {rules: [{fault: {percentage: 1, delay_ms: 1}}]}\n";
    world.until_poll();
    assert!(matches!(world.answer(good(snapshot_of(&changed)))[..], [Event::Updated { .. }]));
    assert!(world.plugin.take_due(world.now).is_empty());
    assert_eq!(world.plugin.held_requests(), 2);
}
