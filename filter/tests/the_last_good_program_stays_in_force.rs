//! A control plane that is away, slow or wrong changes nothing; a good answer is taken at once.
#![cfg(test)]

use std::time::Duration;

use filter::{
    clock::Instant,
    config::Config,
    identity::Identity,
    plugin::{Plugin, Synced},
    sync::{Answer, Poll},
};
use policies::{
    Digest, Scope, Timestamp,
    catalog::{Catalog, Sources},
    facts::Given,
    file::File,
};

/// A snapshot with one policy, which aborts everything at `service`.
fn snapshot(service: &str) -> Vec<u8> {
    let yaml = format!(
        "metadata: {{name: a}}\nspec: {{selector: {{service: {service}}}, rules: [{{fault: {{percentage: 100, abort: {{httpStatus: 503}}}}}}]}}"
    );
    let file = File::read(yaml.as_bytes());
    let catalog =
        Catalog::new(&Sources { files: vec![(&"a.yaml".into(), &file)], ..Sources::default() }, |_, _| None);
    catalog.snapshot(&Scope::new(["*"], ["*"]).unwrap(), Timestamp::from_millis(0)).encode()
}

fn good(body: Vec<u8>) -> Answer {
    Answer {
        status: Some("200".into()),
        etag: Some(Digest::of(&body).etag()),
        revision: Some("main@sha1:1".into()),
        body,
    }
}

fn not_modified() -> Answer {
    Answer { status: Some("304".into()), revision: Some("main@sha1:1".into()), ..Answer::default() }
}

/// A plugin of `checkout` in `demo`, and the time.
struct World {
    plugin: Plugin,
    now: Instant,
}

impl World {
    fn new(config: &str) -> Self {
        let config =
            Config::parse(format!(r#"{{"control_plane_address": "hfi:8080"{config}}}"#).as_bytes()).unwrap();
        let workload = Scope::new(["demo"], ["checkout"]).unwrap();
        let identity = Identity { workload, node: "sidecar~1".into(), is_gateway: false, warning: None };
        let now = Instant::from_origin(Duration::from_secs(1_000));
        Self { plugin: Plugin::new(config, identity, [7; 32], now), now }
    }

    /// Lets time pass until the next poll is due, and how long that took.
    fn until_poll(&mut self) -> (Poll, Duration) {
        let begun = self.now;
        loop {
            if let Some(poll) = self.plugin.poll(self.now) {
                return (poll, self.now.since(begun));
            }
            self.now = self.now + self.plugin.next_tick(self.now);
            assert!(self.now.since(begun) < Duration::from_secs(120), "no poll");
        }
    }

    fn answer(&mut self, answer: Answer) -> Synced {
        self.plugin.answered(answer, self.now)
    }

    /// A poll that brings a program at once.
    fn active() -> Self {
        let mut world = Self::new("");
        world.until_poll();
        assert!(matches!(world.answer(good(snapshot("checkout"))), Synced::Updated { policies: 1, .. }));
        world
    }

    fn injects(&mut self) -> bool {
        self.plugin.decide(&Given::default()).is_some()
    }
}

fn header<'p>(poll: &'p Poll, name: &str) -> Option<&'p str> {
    poll.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_poll_says_who_asks_and_what_it_runs() {
    let mut world = World::new("");
    let (poll, after) = world.until_poll();
    assert_eq!(after, Duration::ZERO);
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
    assert!(matches!(world.answer(good(snapshot("cart"))), Synced::Updated { policies: 0, .. }));
    assert!(!world.injects() && world.plugin.is_idle());
}

#[test]
fn a_bad_answer_changes_nothing_and_is_asked_for_again() {
    let body = snapshot("cart");
    let damaged = Answer { body: body[..body.len() - 1].to_vec(), ..good(body.clone()) };
    let foreign = Answer { revision: None, ..good(body) };
    let garbage = good(b"hfi\x01garbage".to_vec());
    let mislabelled = Answer { etag: Some(Digest::of(b"another body").etag()), ..good(snapshot("cart")) };
    let unlabelled = Answer { etag: None, ..good(snapshot("cart")) };
    let error = Answer { status: Some("500".into()), ..not_modified() };
    for bad in [damaged, mislabelled, unlabelled, foreign, garbage, error, Answer::default()] {
        let mut world = World::active();
        let (before, _) = world.until_poll();
        let shown = format!("{bad:?}");
        assert!(matches!(world.answer(bad), Synced::Failed { first: true, .. }), "{shown}");
        assert!(world.injects(), "{shown}");
        let (after, _) = world.until_poll();
        assert_eq!(header(&before, "if-none-match"), header(&after, "if-none-match"), "{shown}");
    }
}

#[test]
fn a_304_to_somebody_who_has_nothing_is_no_answer() {
    let mut world = World::new("");
    world.until_poll();
    assert!(matches!(world.answer(not_modified()), Synced::Failed { .. }));
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
    assert!(matches!(world.answer(Answer::default()), Synced::Failed { first: true, .. }));
}

#[test]
fn no_server_can_make_it_spin() {
    let mut world = World::active();
    let (_, wait) = world.until_poll();
    assert!(wait >= Duration::from_millis(200), "after a change at once: {wait:?}");
    world.answer(not_modified());
    let (_, wait) = world.until_poll();
    assert!(wait >= Duration::from_secs(1), "after nothing at once: {wait:?}");
    world.now = world.now + Duration::from_secs(30);
    world.answer(not_modified());
    let (_, wait) = world.until_poll();
    assert_eq!(wait, Duration::ZERO, "after a poll that was held to its end");
}

#[test]
fn an_answer_that_repeats_what_is_in_force_changes_nothing_and_is_spaced() {
    let mut world = World::active();
    world.until_poll();
    assert_eq!(world.answer(good(snapshot("checkout"))), Synced::Unchanged);
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
    world.now = world.now + Duration::from_secs(899);
    assert!(!world.plugin.expire(world.now) && world.injects());
    world.now = world.now + Duration::from_secs(1);
    assert!(world.plugin.expire(world.now) && !world.injects());
    assert!(!world.plugin.expire(world.now), "it is said once");
    let (poll, _) = world.until_poll();
    assert_eq!(header(&poll, "if-none-match"), None, "the next answer must bring all of it");
    world.answer(good(snapshot("checkout")));
    assert!(world.injects());
}

#[test]
fn without_a_limit_faults_go_on() {
    let mut world = World::new(r#", "max_staleness_seconds": 0"#);
    world.until_poll();
    world.answer(good(snapshot("checkout")));
    world.now = world.now + Duration::from_secs(1_000_000);
    assert!(!world.plugin.expire(world.now) && world.injects());
}
