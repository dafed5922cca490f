//! A control plane that is down, slow or wrong changes nothing; a good answer takes effect at once.

use std::time::Duration;

use filter::{event::Event, sync::answer::Answer};
use policies::Digest;

use crate::world::{World, good, header, not_modified, snapshot};

fn updated(events: &[Event]) -> bool {
    matches!(events, [Event::Updated { .. }])
}

fn failed_first(events: &[Event]) -> bool {
    matches!(events, [Event::PollFailed { is_new: true, .. }])
}

#[test]
fn a_poll_has_the_node_and_the_active_snapshot() {
    let mut world = World::new("");
    let (poll, after) = world.until_poll();
    assert!(after <= Duration::from_millis(1_100), "the start is spread over a second: {after:?}");
    assert_eq!(header(&poll, ":path"), Some("/v1/snapshot?namespace=demo&service=checkout"));
    assert_eq!(header(&poll, ":authority"), Some("hfi:8080"));
    assert_eq!(header(&poll, "prefer"), Some("wait=30"));
    assert_eq!(header(&poll, "x-hfi-node"), Some("sidecar~1"));
    assert_eq!(header(&poll, "if-none-match"), None);
    assert!(poll.timeout > Duration::from_secs(30));

    let body = snapshot("checkout");
    world.answer(good(body.clone()));
    let (poll, _) = world.until_poll();
    assert_eq!(header(&poll, "if-none-match"), Some(Digest::of(&body).etag().as_str()));
    assert_eq!(header(&poll, "x-hfi-revision"), Some("main@sha1:1"));
}

#[test]
fn a_snapshot_is_active_as_soon_as_it_arrives() {
    let mut world = World::new("");
    assert!(!world.injects());
    world.until_poll();
    world.answer(good(snapshot("checkout")));
    assert!(world.injects());
}

#[test]
fn a_snapshot_for_another_workload_injects_nothing() {
    let mut world = World::new("");
    world.until_poll();
    assert!(updated(&world.answer(good(snapshot("cart")))));
    assert!(!world.injects() && world.plugin.is_idle() && world.policies() == 0);
}

#[test]
fn a_bad_answer_changes_nothing_and_is_requested_again() {
    let body = snapshot("cart");
    let damaged = Answer { body: body[..body.len() - 1].to_vec(), ..good(body.clone()) };
    let foreign = Answer { revision: None, ..good(body) };
    let garbage = good(b"hfi\x01garbage".to_vec());
    let mislabelled = Answer { etag: Some(Digest::of(b"another body").etag()), ..good(snapshot("cart")) };
    let large = Answer { is_too_large: true, ..good(snapshot("cart")) };
    let error = Answer { status: Some("500".into()), ..not_modified() };
    for bad in [damaged, mislabelled, foreign, garbage, large, error, Answer::default()] {
        let mut world = World::active();
        let (before, _) = world.until_poll();
        let shown = format!("{bad:?}");
        assert!(failed_first(&world.answer(bad)), "{shown}");
        assert!(world.injects(), "{shown}");
        let (after, _) = world.until_poll();
        assert_eq!(header(&before, "if-none-match"), header(&after, "if-none-match"), "{shown}");
    }
}

#[test]
fn each_new_reason_of_a_failure_is_logged_once() {
    let mut world = World::active();
    let mut logs = |answer| {
        world.until_poll();
        failed_first(&world.answer(answer))
    };
    let garbage = || good(b"hfi\x01garbage".to_vec());
    assert!(logs(Answer::default()) && !logs(Answer::default()));
    assert!(logs(garbage()) && !logs(garbage()));
    assert!(!logs(good(snapshot("checkout"))) && logs(Answer::default()));
}

#[test]
fn a_304_without_an_active_snapshot_is_a_failure() {
    let mut world = World::new("");
    world.until_poll();
    assert!(failed_first(&world.answer(not_modified())));
}

/// With one of two replicas gone, and still an endpoint, all but one of 128 proxies reach the other one by then.
#[test]
fn eight_polls_of_which_seven_fail_begin_within_ten_seconds() {
    let mut world = World::active();
    let begun = world.now;
    for _ in 0..7 {
        world.until_poll();
        world.answer(Answer::default());
    }
    world.until_poll();
    let took = world.now.since(begun);
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn failures_are_tried_again_soon_and_then_back_off_to_at_most_half_a_minute() {
    let mut world = World::active();
    let mut waits = Vec::new();
    for _ in 0..12 {
        let (_, wait) = world.until_poll();
        waits.push(wait);
        world.answer(Answer::default());
    }
    let soon = &waits[1..5];
    assert!(soon.iter().all(|wait| *wait <= Duration::from_millis(500)), "{waits:?}");
    assert!(waits[5] > Duration::from_millis(500), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(30)), "{waits:?}");
    assert!(waits[10] >= Duration::from_secs(15), "{waits:?}");
    world.until_poll();
    world.answer(not_modified());
    world.until_poll();
    assert!(failed_first(&world.answer(Answer::default())));
}

#[test]
fn no_server_can_make_it_poll_without_pause() {
    let mut world = World::active();
    let (_, wait) = world.until_poll();
    assert!(wait >= Duration::from_millis(200), "after an immediate change: {wait:?}");
    world.answer(not_modified());
    let (_, wait) = world.until_poll();
    assert!(wait >= Duration::from_secs(1), "after an immediate 304: {wait:?}");
    world.pass(Duration::from_secs(30));
    world.answer(not_modified());
    let (_, wait) = world.until_poll();
    assert_eq!(wait, Duration::ZERO, "after a poll that was held for its whole wait");
}

#[test]
fn an_answer_with_the_active_snapshot_changes_nothing_and_is_spaced() {
    let mut world = World::active();
    world.until_poll();
    assert_eq!(world.answer(good(snapshot("checkout"))), []);
    let (_, wait) = world.until_poll();
    assert!(wait >= Duration::from_secs(1), "{wait:?}");
}

#[test]
fn a_304_updates_the_revision() {
    let mut world = World::active();
    world.until_poll();
    world.answer(Answer { revision: Some("main@sha1:2".into()), ..not_modified() });
    let (poll, _) = world.until_poll();
    assert_eq!(header(&poll, "x-hfi-revision"), Some("main@sha1:2"));
}

#[test]
fn a_poll_whose_answer_never_comes_is_given_up() {
    let mut world = World::active();
    world.until_poll();
    // It is replaced once, by one that names the plugin.
    world.until_poll();
    let (_, wait) = world.until_poll();
    assert!(wait >= Duration::from_secs(20) && wait <= Duration::from_secs(40), "{wait:?}");
}

#[test]
fn faults_stop_after_too_long_without_contact() {
    let mut world = World::active();
    world.pass(Duration::from_secs(899));
    assert!(world.refresh().is_empty() && world.injects() && world.policies() == 1);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.refresh(), [Event::Stale]);
    assert!(!world.injects() && world.plugin.is_idle() && world.policies() == 0);
    assert!(world.refresh().is_empty(), "it is reported once");
}

#[test]
fn a_stale_snapshot_is_active_again_after_a_304() {
    let mut world = World::active();
    world.pass(Duration::from_secs(900));
    assert_eq!(world.refresh(), [Event::Stale]);
    let (poll, _) = world.until_poll();
    assert!(header(&poll, "if-none-match").is_some());
    assert_eq!(world.answer(not_modified()), [Event::Fresh]);
    assert!(world.injects());
}

#[test]
fn without_a_limit_faults_continue() {
    let mut world = World::new(r#", "max_staleness_seconds": 0"#);
    world.until_poll();
    world.answer(good(snapshot("checkout")));
    world.pass(Duration::from_secs(1_000_000));
    assert!(world.refresh().is_empty() && world.injects());
}
