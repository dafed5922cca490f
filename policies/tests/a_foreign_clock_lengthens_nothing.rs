//! A duration counts from the date that a foreign clock gave. One that is ahead of ours lengthens nothing.
#![cfg(test)]
#![cfg(feature = "authoring")]

use policies::{
    Catalog, File, Scope, Snapshot, Timestamp,
    repository::{LocatedPolicy, Sources, Start, State, misdated},
    wire::Format,
};
use proptest::prelude::*;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const YEAR: u64 = 365 * 24 * 60 * MINUTE;
/// The time by which a foreign clock may be ahead.
const AHEAD: u64 = 5 * MINUTE;
const NOW: u64 = 1_796_000_000 * SECOND;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn catalog(rules: &str, start: Start) -> Catalog {
    let text = format!("metadata: {{name: p}}\nspec:\n  rules:\n{rules}");
    let (path, file) = ("p.yaml".into(), File::read(text.as_bytes()));
    let catalog =
        Catalog::new(&Sources { files: vec![(&path, &file)], ..Sources::default() }, |_, _| Some(start));
    assert!(catalog.problems().is_empty(), "{:?}", catalog.problems());
    catalog
}

fn timed(seconds: u32) -> String {
    format!("    - fault: {{percentage: 100, duration_seconds: {seconds}, delay_ms: 1}}\n")
}

fn policy(catalog: &Catalog) -> &LocatedPolicy {
    &catalog.policies()[0]
}

/// What a filter gets at `now`, which it decodes.
fn snapshot(catalog: &Catalog, now: u64) -> Snapshot {
    let bytes = catalog.snapshot(&Scope::unknown(), at(now)).encode(Format::V2);
    Snapshot::decode(&bytes).unwrap()
}

/// The rules that a filter with the snapshot of `now` has in force.
fn in_force(catalog: &Catalog, now: u64) -> Vec<usize> {
    let snapshot = snapshot(catalog, now);
    let rules = snapshot.policies.iter().flat_map(|entry| {
        entry.policy.rules.iter().enumerate().map(move |(i, rule)| (i, entry.end_of(&rule.fault)))
    });
    rules.filter(|(_, end)| end.is_none_or(|end| end > at(now))).map(|(i, _)| i).collect()
}

#[test]
fn what_is_dated_a_year_ahead_is_out_of_force_until_then() {
    let start = NOW + YEAR;
    let catalog = catalog(&timed(60), at(start).into());
    for (now, state, rules) in [
        (NOW, State::Scheduled, &[][..]),
        (start - AHEAD - 1, State::Scheduled, &[]),
        (start - AHEAD, State::Active, &[0]),
        (start + MINUTE - 1, State::Active, &[0]),
        (start + MINUTE, State::Expired, &[]),
    ] {
        assert_eq!((policy(&catalog).state(at(now)), &*in_force(&catalog, now)), (state, rules), "{now}");
    }
    assert_eq!(catalog.next_change(at(NOW)), Some(at(start - AHEAD)));
    let [warning] = &misdated::warnings(&catalog, at(NOW))[..] else { panic!("no warning") };
    assert_eq!((&*warning.file, warning.finding.place.line), ("p.yaml", 4));
    let shown = warning.to_string();
    assert!(
        shown.contains("rules[0].fault.duration_seconds: is out of force: it counts from 2027-"),
        "{shown}"
    );
    assert!(misdated::warnings(&catalog, at(start)).is_empty());
}

#[test]
fn a_clock_that_is_ahead_by_minutes_delays_nothing() {
    let catalog = catalog(&timed(60), at(NOW + AHEAD).into());
    assert_eq!((policy(&catalog).state(at(NOW)), in_force(&catalog, NOW)), (State::Active, vec![0]));
    assert!(misdated::warnings(&catalog, at(NOW)).is_empty());
}

#[test]
fn rules_without_a_duration_do_not_wait() {
    let rules = format!("    - fault: {{percentage: 1, delay_ms: 1}}\n{}", timed(60));
    let catalog = catalog(&rules, at(NOW + YEAR).into());
    assert_eq!((policy(&catalog).state(at(NOW)), in_force(&catalog, NOW)), (State::Active, vec![0]));
    let opens = NOW + YEAR - AHEAD;
    assert_eq!(catalog.next_change(at(NOW)), Some(at(opens)));
    assert_eq!(in_force(&catalog, opens), [0, 1]);
    let [warning] = &misdated::warnings(&catalog, at(NOW))[..] else { panic!("no warning") };
    assert!(warning.to_string().contains("rules[1]"), "{warning}");
}

#[test]
fn a_later_commit_that_is_dated_earlier_tells_when_it_was_there() {
    let start = Start::from(at(NOW + YEAR)).known_at(at(NOW));
    let catalog = catalog(&timed(60), start);
    assert_eq!(in_force(&catalog, NOW), [0]);
    for over in [NOW + MINUTE, NOW + YEAR, NOW + YEAR + SECOND] {
        assert_eq!(policy(&catalog).state(at(over)), State::Expired, "it does not come back");
    }
    let [warning] = &misdated::warnings(&catalog, at(NOW))[..] else { panic!("no warning") };
    assert!(
        warning.to_string().contains("the time of a later commit, although its own is dated 2027-"),
        "{warning}"
    );
    let skewed = Start::from(at(NOW + MINUTE)).known_at(at(NOW));
    assert!(misdated::warnings(&self::catalog(&timed(60), skewed), at(NOW)).is_empty());
}

#[test]
fn dates_at_the_ends_of_time_are_dates() {
    for (date, state) in [(0, State::Expired), (u64::MAX, State::Scheduled)] {
        let catalog = catalog(&timed(60), at(date).into());
        assert_eq!(policy(&catalog).state(at(NOW)), state, "{date}");
        assert!(in_force(&catalog, NOW).is_empty());
        misdated::warnings(&catalog, at(NOW));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Minutes are enough to tell: what is in force is so for its duration, and for as long as a clock may be ahead.
    #[test]
    fn no_rule_is_in_force_longer_than_it_says(
        durations in prop::collection::vec(prop_oneof![Just(0), 1..40_u64], 1..4),
        dated in 0..60_u64,
        known in 0..60_u64,
        starts in prop::option::of(0..60_u64),
        expires in prop::option::of(0..90_u64),
    ) {
        let rules: String = durations.iter().map(|minutes| timed(u32::try_from(60 * minutes).unwrap())).collect();
        let window = [("startsAt", starts), ("expiresAt", expires)].map(|(key, minutes)| {
            minutes.map_or(String::new(), |minutes| format!("  {key}: {}\n", at(NOW + minutes * MINUTE).to_rfc3339()))
        });
        prop_assume!(starts.is_none_or(|starts| expires.is_none_or(|expires| starts < expires)));
        let rules = format!("{rules}{}", window.concat());
        let start = Start::from(at(NOW + dated * MINUTE)).known_at(at(NOW + known * MINUTE));
        let catalog = catalog(&rules, start);
        let counts = dated.min(known);
        let mut before: Option<(Option<Timestamp>, Snapshot)> = None;
        for minute in 0..120 {
            let now = NOW + minute * MINUTE;
            let runs = in_force(&catalog, now);
            for (rule, duration) in durations.iter().enumerate() {
                let is_open = starts.is_none_or(|starts| starts <= minute) && expires.is_none_or(|end| minute < end);
                let is_timed = *duration == 0 || (counts <= minute + 5 && minute < counts + duration);
                prop_assert_eq!(runs.contains(&rule), is_open && is_timed, "rule {} at {}", rule, minute);
            }
            // The snapshot changes only at the times that `next_change` has announced.
            let is = snapshot(&catalog, now);
            if let Some((announced, was)) = before {
                prop_assert!(announced.is_some_and(|change| change <= at(now)) || was == is, "at {}", minute);
            }
            before = Some((catalog.next_change(at(now)), is));
        }
    }
}
