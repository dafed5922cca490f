//! A snapshot in a format that this build does not know changes nothing, and the log says what to do.

use filter::{
    event::{Event, Level},
    sync::answer::Answer,
};
use policies::wire::{Format, poll};

use crate::world::{World, checkout, good, header, not_modified, snapshot, snapshot_as};

/// Answer of a control plane that is newer than this build.
fn newer() -> Answer {
    let content_type = Some("application/vnd.hfi.snapshot.v9".into());
    Answer { content_type, ..good(b"hfi\x09whatever".to_vec()) }
}

/// Warning of an answer that failed for a new reason.
fn warning(events: &[Event]) -> Option<String> {
    let [event @ Event::PollFailed { .. }] = events else { panic!("{events:?}") };
    let (level, message) = event.message(&checkout(), 1)?;
    assert_eq!(level, Level::Warn);
    Some(message)
}

#[test]
fn a_poll_accepts_every_known_format_and_prefers_the_newest() {
    let (poll, _) = World::new("").until_poll();
    assert_eq!(header(&poll, "accept"), Some(poll::ACCEPT));
    assert_eq!(Format::negotiate([poll::ACCEPT.as_bytes()]), Format::ALL.last().copied());
}

#[test]
fn every_known_format_is_injected() {
    for format in Format::ALL {
        let mut world = World::new("");
        world.until_poll();
        world.answer(good(snapshot_as(format, "checkout")));
        assert!(world.injects(), "{format:?}");
    }
}

#[test]
fn the_active_snapshot_and_its_etag_stay() {
    let mut world = World::active();
    let (before, _) = world.until_poll();
    for number in 0..3 {
        let warning = warning(&world.answer(newer()));
        assert_eq!(warning.is_some(), number == 0, "it is logged once");
        assert!(world.injects());
        let (after, _) = world.until_poll();
        for name in ["if-none-match", poll::REVISION] {
            assert_eq!(header(&before, name), header(&after, name), "{name}");
        }
    }
    world.answer(good(snapshot("cart")));
    assert!(!world.injects(), "a known format takes effect again");
}

#[test]
fn the_log_names_the_format_and_what_to_do() {
    let mut world = World::active();
    world.until_poll();
    let warning = warning(&world.answer(newer())).unwrap();
    for part in
        ["stay in force", "format 9", "application/vnd.hfi.snapshot.v9", "deploy", env!("CARGO_PKG_VERSION")]
    {
        assert!(warning.contains(part), "{part}: {warning}");
    }
}

#[test]
fn a_first_snapshot_in_an_unknown_format_injects_nothing() {
    let mut world = World::new("");
    world.until_poll();
    assert!(warning(&world.answer(newer())).is_some());
    assert!(!world.injects() && world.plugin.is_idle());
    let (poll, _) = world.until_poll();
    assert_eq!(header(&poll, "if-none-match"), None);
}

#[test]
fn a_406_says_that_the_formats_differ() {
    // With and without the header of the control plane, which its errors lack.
    for revision in [None, Some("main@sha1:2".to_owned())] {
        let mut world = World::active();
        world.until_poll();
        let answer = Answer { status: Some("406".into()), revision, ..not_modified() };
        let warning = warning(&world.answer(answer)).unwrap();
        for part in ["406", poll::ACCEPT, "deploy"] {
            assert!(warning.contains(part), "{part}: {warning}");
        }
        assert!(world.injects());
    }
}

#[test]
fn a_body_that_is_no_snapshot_is_logged_with_its_content_type() {
    let mut world = World::active();
    world.until_poll();
    let page = Answer { content_type: Some("text/html".into()), ..good(b"<html>".to_vec()) };
    assert!(warning(&world.answer(page)).unwrap().contains("text/html"));
    assert!(world.injects());
}
