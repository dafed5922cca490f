//! A proxy on the way can weaken an ETag, or remove it. The snapshot is used all the same.

use std::time::Duration;

use filter::{event::Event, sync::answer::Answer};
use policies::Digest;

use crate::world::{World, good, header, not_modified, snapshot};

fn weakened(body: Vec<u8>) -> Answer {
    let etag = format!("W/{}", Digest::of(&body).etag());
    Answer { etag: Some(etag), ..good(body) }
}

fn stripped(body: Vec<u8>) -> Answer {
    Answer { etag: None, ..good(body) }
}

#[test]
fn a_body_that_its_weak_etag_names_is_used() {
    let mut world = World::new("");
    world.until_poll();
    assert!(matches!(world.answer(weakened(snapshot("checkout")))[..], [Event::Updated { .. }]));
    assert!(world.injects());
}

#[test]
fn a_body_that_an_etag_does_not_name_is_refused() {
    let other = Digest::of(&snapshot("cart")).etag();
    for etag in [other.clone(), format!("W/{other}"), format!("w/{other}"), "\"5f3\"".into(), String::new()] {
        let mut world = World::new("");
        world.until_poll();
        let answer = Answer { etag: Some(etag.clone()), ..good(snapshot("checkout")) };
        assert!(matches!(world.answer(answer)[..], [Event::PollFailed { is_new: true, .. }]), "{etag}");
        assert!(!world.injects(), "{etag}");
    }
}

#[test]
fn a_body_without_an_etag_is_used_and_the_log_says_so_once() {
    let mut world = World::new("");
    world.until_poll();
    let events = world.answer(stripped(snapshot("checkout")));
    assert!(matches!(events[..], [Event::Updated { .. }, Event::NoEtag]), "{events:?}");
    assert!(world.injects());
    world.until_poll();
    assert!(matches!(world.answer(stripped(snapshot("cart")))[..], [Event::Updated { .. }]));
    assert!(!world.injects(), "so it also stops");
    world.until_poll();
    assert_eq!(world.answer(not_modified()), []);
}

#[test]
fn but_not_one_in_no_known_format() {
    let mut world = World::active();
    let cut = |body: Vec<u8>| body[..body.len() - 1].to_vec();
    for body in [b"<html>".to_vec(), Vec::new(), b"hfi\x01garbage".to_vec(), cut(snapshot("cart"))] {
        world.until_poll();
        let events = world.answer(stripped(body));
        assert!(matches!(events[..], [Event::PollFailed { .. }]), "{events:?}");
        assert!(world.injects());
    }
}

#[test]
fn polls_name_what_runs_and_are_spaced() {
    let mut world = World::new("");
    world.until_poll();
    let body = snapshot("checkout");
    world.answer(stripped(body.clone()));
    for _ in 0..5 {
        let (poll, wait) = world.until_poll();
        assert_eq!(header(&poll, "if-none-match"), Some(Digest::of(&body).etag().as_str()));
        assert!(wait >= Duration::from_millis(200), "{wait:?}");
        // A proxy that removes `If-None-Match` too makes each poll end at once.
        world.answer(stripped(body.clone()));
    }
    let (_, wait) = world.until_poll();
    assert!(wait >= Duration::from_secs(1), "{wait:?}");
}
