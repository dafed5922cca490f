//! A control plane that is away, slow or wrong changes nothing; a good answer is taken at once.

use std::time::Duration;

use filter::{event::Event, sync::poller::Answer};
use policies::Digest;

use crate::world::{World, good, header, not_modified, snapshot};

fn updated(events: &[Event]) -> bool {
    matches!(events, [Event::Updated { .. }])
}

fn failed_first(events: &[Event]) -> bool {
    matches!(events, [Event::Failed { is_new: true, .. }])
}

#[test]
fn a_poll_says_who_asks_and_what_it_runs() {
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
fn a_snapshot_is_in_force_as_soon_as_it_has_come() {
    let mut world = World::new("");
    assert!(!world.injects());
    world.until_poll();
    world.answer(good(snapshot("checkout")));
    assert!(world.injects());
}

#[test]
fn a_snapshot_for_somebody_else_injects_nothing_here() {
    let mut world = World::new("");
    world.until_poll();
    assert!(updated(&world.answer(good(snapshot("cart")))));
    assert!(!world.injects() && world.plugin.is_idle() && world.policies() == 0);
}

#[test]
fn a_bad_answer_changes_nothing_and_is_asked_for_again() {
    let body = snapshot("cart");
    let damaged = Answer { body: body[..body.len() - 1].to_vec(), ..good(body.clone()) };
    let foreign = Answer { revision: None, ..good(body) };
    let garbage = good(b"hfi\x01garbage".to_vec());
    let mislabelled = Answer { etag: Some(Digest::of(b"another body").etag()), ..good(snapshot("cart")) };
    let unlabelled = Answer { etag: None, ..good(snapshot("cart")) };
    let large = Answer { is_too_large: true, ..good(snapshot("cart")) };
    let error = Answer { status: Some("500".into()), ..not_modified() };
    for bad in [damaged, mislabelled, unlabelled, foreign, garbage, large, error, Answer::default()] {
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
fn another_reason_to_fail_is_told_although_polls_failed_before() {
    let mut world = World::active();
    let mut told = |answer| {
        world.until_poll();
        failed_first(&world.answer(answer))
    };
    let garbage = || good(b"hfi\x01garbage".to_vec());
    assert!(told(Answer::default()) && !told(Answer::default()));
    assert!(told(garbage()) && !told(garbage()));
    assert!(!told(good(snapshot("checkout"))) && told(Answer::default()));
}

#[test]
fn a_304_to_somebody_who_has_nothing_is_no_answer() {
    let mut world = World::new("");
    world.until_poll();
    assert!(failed_first(&world.answer(not_modified())));
}

#[test]
fn failures_back_off_to_half_a_minute_and_no_further() {
    let mut world = World::active();
    let mut waits = Vec::new();
    for _ in 0..12 {
        let (_, wait) = world.until_poll();
        waits.push(wait);
        world.answer(Answer::default());
    }
    assert!(waits[1] <= Duration::from_millis(500), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(30)), "{waits:?}");
    assert!(waits[10] >= Duration::from_secs(15), "{waits:?}");
    world.until_poll();
    world.answer(not_modified());
    world.until_poll();
    assert!(failed_first(&world.answer(Answer::default())));
}

#[test]
fn no_server_can_make_it_spin() {
    let mut world = World::active();
    let (_, wait) = world.until_poll();
    assert!(wait >= Duration::from_millis(200), "after a change at once: {wait:?}");
    world.answer(not_modified());
    let (_, wait) = world.until_poll();
    assert!(wait >= Duration::from_secs(1), "after nothing at once: {wait:?}");
    world.pass(Duration::from_secs(30));
    world.answer(not_modified());
    let (_, wait) = world.until_poll();
    assert_eq!(wait, Duration::ZERO, "after a poll that was held to its end");
}

#[test]
fn an_answer_that_repeats_what_is_in_force_changes_nothing_and_is_spaced() {
    let mut world = World::active();
    world.until_poll();
    assert_eq!(world.answer(good(snapshot("checkout"))), []);
    let (_, wait) = world.until_poll();
    assert!(wait >= Duration::from_secs(1), "{wait:?}");
}

#[test]
fn what_is_unchanged_is_of_the_newer_revision_too() {
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
    let (_, wait) = world.until_poll();
    assert!(wait >= Duration::from_secs(40) && wait <= Duration::from_secs(60), "{wait:?}");
}

#[test]
fn faults_stop_when_nobody_has_been_heard_for_too_long() {
    let mut world = World::active();
    world.pass(Duration::from_secs(899));
    assert!(world.look().is_empty() && world.injects() && world.policies() == 1);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.look(), [Event::Stale]);
    assert!(!world.injects() && world.plugin.is_idle() && world.policies() == 0);
    assert!(world.look().is_empty(), "it is said once");
}

#[test]
fn what_was_stale_is_in_force_again_when_it_is_heard_to_be_unchanged() {
    let mut world = World::active();
    world.pass(Duration::from_secs(900));
    assert_eq!(world.look(), [Event::Stale]);
    let (poll, _) = world.until_poll();
    assert!(header(&poll, "if-none-match").is_some());
    assert_eq!(world.answer(not_modified()), [Event::Fresh]);
    assert!(world.injects());
}

#[test]
fn without_a_limit_faults_go_on() {
    let mut world = World::new(r#", "max_staleness_seconds": 0"#);
    world.until_poll();
    world.answer(good(snapshot("checkout")));
    world.pass(Duration::from_secs(1_000_000));
    assert!(world.look().is_empty() && world.injects());
}
