//! A policy that a format cannot say is left out of it, and with it every later one for the same direction; one that
//! a filter does not know, with every later one: a rule that would have decided first must not let a later one
//! inject.
#![cfg(test)]
#![cfg(feature = "authoring")]

use std::sync::Arc;

use policies::{
    Catalog, File, Snapshot, Timestamp,
    language::{Condition, Destination, Flow, Host, Pattern, Subject, Target, Test},
    repository::Sources,
    wire::Format,
};

/// Policies in this order; `out` is for requests that a workload makes.
const POLICIES: &str = "
metadata: {name: first}
spec: {rules: [{match: {headers: [{name: x-a, exact: a}]}, fault: {percentage: 1, delay_ms: 1}}]}
---
metadata: {name: out}
spec: {direction: outbound, rules: [{fault: {percentage: 1, delay_ms: 1}}]}
---
metadata: {name: second}
spec:
  rules:
    - {match: {path: {exact: /}}, fault: {percentage: 1, delay_ms: 1}}
    - {match: {headers: [{name: x-b, exact: b}]}, fault: {percentage: 1, delay_ms: 1}}
---
metadata: {name: third}
spec: {rules: [{fault: {percentage: 1, delay_ms: 1}}]}
";

fn snapshot() -> Snapshot {
    let (path, file) = ("policy.yaml".into(), File::read(POLICIES.as_bytes()));
    let sources = Sources { files: vec![(&path, &file)], ..Sources::default() };
    let catalog = Catalog::new(&sources, |_, _| None);
    assert!(catalog.problems().is_empty(), "{:#?}", catalog.problems());
    let now = Timestamp::from_millis(0);
    Snapshot { policies: catalog.in_force(now).map(|located| located.entry.clone()).collect() }
}

/// The names of what arrives.
fn names(bytes: &[u8]) -> Vec<String> {
    let arrived = Snapshot::decode(bytes).unwrap();
    arrived.policies.iter().map(|entry| entry.policy.name.to_string()).collect()
}

#[test]
fn format_1_has_no_room_for_two_conditions_on_the_path() {
    let mut snapshot = snapshot();
    assert_eq!(names(&snapshot.encode(Format::V1)), ["first", "out", "second", "third"]);
    let second = Arc::make_mut(&mut snapshot.policies[2].policy);
    let matcher = Test::Prefix("/".to_owned()).into();
    second.rules[0].matches.conditions.push(Condition { subject: Subject::Path, matcher });
    assert_eq!(names(&snapshot.encode(Format::V1)), ["first", "out"]);
    assert_eq!(names(&snapshot.encode(Format::V2)), ["first", "out", "second", "third"]);
}

#[test]
fn format_1_has_no_room_for_a_regex_that_its_filters_could_not_compile() {
    for (regex, has_room) in [(r"^\w{9}$", true), (r"^\w{50}$", false)] {
        let mut snapshot = snapshot();
        let second = Arc::make_mut(&mut snapshot.policies[2].policy);
        second.rules[0].matches.conditions[0].matcher = Test::Regex(Pattern::parse(regex).unwrap()).into();
        assert_eq!(names(&snapshot.encode(Format::V2)), ["first", "out", "second", "third"]);
        // This build runs no regex of format 1; that it is there shows in the bytes.
        let bytes = snapshot.encode(Format::V1);
        assert_eq!(bytes.windows(6).any(|window| window == b"second"), has_room, "{regex}");
        assert_eq!(names(&bytes), ["first", "out"], "{regex}");
    }
}

#[test]
fn format_1_has_no_room_for_a_host() {
    let host = || Host::try_from("api.partner.example".to_owned()).unwrap();
    let mut snapshot = snapshot();
    Arc::make_mut(&mut snapshot.policies[1].policy).flow =
        Flow::Outbound { destination: Destination::Host(host()) };
    assert_eq!(names(&snapshot.encode(Format::V1)), ["first", "second", "third"]);
    assert_eq!(Snapshot::decode(&snapshot.encode(Format::V2)).unwrap(), snapshot);
    Arc::make_mut(&mut snapshot.policies[2].policy).selector.target = Target::Host(host());
    assert_eq!(names(&snapshot.encode(Format::V1)), ["first"]);
    assert_eq!(Snapshot::decode(&snapshot.encode(Format::V2)).unwrap(), snapshot);
}

#[test]
fn two_conditions_on_a_header_have_room_in_every_format() {
    let mut snapshot = snapshot();
    let first = Arc::make_mut(&mut snapshot.policies[0].policy);
    let again = first.rules[0].matches.conditions[0].clone();
    first.rules[0].matches.conditions.push(again);
    for format in Format::ALL {
        assert_eq!(Snapshot::decode(&snapshot.encode(format)).unwrap(), snapshot, "{format:?}");
    }
}

#[test]
fn a_subject_of_a_later_build_leaves_its_policy_out() {
    let bytes = snapshot().encode(Format::V2);
    let unknown = |name: &[u8; 3]| {
        // The number of a subject stands before the length of its name.
        let at = bytes.windows(4).position(|four| four[0] == 3 && four[1..] == *name).unwrap() - 1;
        let mut bytes = bytes.clone();
        bytes[at] = 200;
        names(&bytes)
    };
    assert_eq!(unknown(b"x-a"), [""; 0], "at a gateway both directions are in one order");
    assert_eq!(unknown(b"x-b"), ["first", "out"]);
}
