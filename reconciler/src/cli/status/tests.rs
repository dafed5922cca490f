//! The screen of `hfi status`, as it is printed.

use policies::Timestamp;
use unicode_width::UnicodeWidthStr as _;

use super::screen::{lost, screen, watched};
use crate::{
    api::overview::Overview,
    cli::{
        snapshots::{EIGHTY, PIPE, text_is_as_in},
        terminal::Terminal,
    },
};

/// All that there can be, as the API has it.
fn full() -> Overview {
    serde_json::from_str(include_str!("../../api/tests/overview.json")).unwrap()
}

fn calm() -> Overview {
    let calm = r#"{
        "at": "2026-11-28T12:10:00Z", "replicas": null, "revision": "dir@sha256:0011223344556677", "sourceRead": "2026-11-28T12:09:48Z",
        "banners": [{"sentence": "Nothing is injected", "state": {"kind": "nothing_is_injected"}}]
    }"#;
    serde_json::from_str(calm).unwrap()
}

#[test]
fn the_screen_is_as_it_was_at_every_size() {
    text_is_as_in("status.txt", |terminal| screen(&full(), terminal));
    text_is_as_in("status-calm.txt", |terminal| screen(&calm(), terminal));
}

#[test]
fn a_screen_that_stays_says_how_old_it_is_and_no_banner_outlives_the_answers() {
    let calm = calm();
    let at = |time: &str| watched(Timestamp::parse(time).unwrap(), &calm, PIPE);
    let told = at("2026-11-28T12:10:00Z");
    assert!(
        told.starts_with("as of 12:10:00 UTC\nNothing is injected\n") && told.contains(", read 12s ago\n"),
        "{told}"
    );
    // Times go on while the server has nothing new.
    let later = at("2026-11-28T12:10:03Z");
    assert!(
        later.starts_with("as of 12:10:00 UTC (3s ago)\n") && later.contains(", read 15s ago\n"),
        "{later}"
    );
    let since = Timestamp::parse("2026-11-28T12:31:04Z").unwrap();
    let lost = lost(&calm, since, PIPE);
    assert!(lost.starts_with("NO ANSWER since 12:31:04 UTC\nas of 12:10:00 UTC\nRevision: "), "{lost}");
    assert!(!lost.contains("Nothing is injected"), "{lost}");
}

#[test]
fn the_exit_code_says_whether_somebody_should_look() {
    assert!(!full().is_right() && calm().is_right());
}

#[test]
fn text_of_a_server_is_shown_and_not_obeyed() {
    let bad = |text: String| text.replace("checkout-errors", "a\\u001b[2J").replace("alice", "eve\\u202e\\n");
    let bad: Overview =
        serde_json::from_str(&bad(include_str!("../../api/tests/overview.json").to_owned())).unwrap();
    let (text, usual) = (screen(&bad, PIPE), screen(&full(), PIPE));
    assert_eq!(text.lines().count(), usual.lines().count(), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    assert!(text.contains("a\\u001b[2J") && text.contains("eve\\u202e\\u000a"), "{text}");
}

#[test]
fn its_tables_fit_a_narrow_terminal() {
    let text = screen(&full(), Terminal { width: Some(40), ..EIGHTY });
    let tables = text.split("\n\n").skip(1).flat_map(|section| section.lines().skip(1));
    for line in tables {
        assert!(line.width() <= 40, "{line}");
    }
}
