//! An automaton finds in every value what Rust's `regex` crate finds there, also after it has travelled.
#![cfg(test)]
#![cfg(feature = "authoring")]

use policies::{
    File, Snapshot,
    language::{Pattern, Test},
    wire::{Format, SnapshotEntry},
};
use proptest::{prelude::*, sample::select};
use regex::bytes::Regex;

/// Regexes of every kind, many of them from real configurations.
const REGEXES: &[&str] = &[
    "",
    "a",
    "^$",
    "$",
    "^",
    r"\A\z",
    "^/api/v[0-9]+/orders$",
    r"^test-",
    r"(?i)chrome|firefox|safari",
    r"^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$",
    r"\w+@\w+\.com",
    r"^\w{3,16}$",
    r"[^/]+/[^/]*",
    r"(a|b)*abb",
    r"(?:a?){30}a{30}",
    r"(x+x+)+y",
    r"[ab]*a[ab]{6}c",
    r".",
    r"(?s).",
    r"^.*$",
    r"(?m)^a$",
    r"(?m)^$",
    r"(?mR)^a$",
    r"(?mR)^$",
    r"(?mR)$\n",
    r"(?R)a$",
    r"\bé\b",
    r"\Bé\B",
    r"\B",
    r"\b",
    r"a\B.",
    r"(?-u:\b)é",
    r"(?-u:\B)",
    r"^(?-u:\B)$",
    r"a(?-u:\B)",
    r"\b{start}a",
    r"a\b{end}",
    r"\b{start-half}a",
    r"a\b{end-half}",
    r"\b{start-half}",
    r"\b{end-half}\n",
    r"(?-u:\b{start-half})",
    r"(?-u:\b{start})a(?-u:\b{end})",
    r"(?-u)a(?-u:\b)",
    r"[a&&b]|c",
    r"\pL\PL",
    r"[[:^alpha:]]$",
    r"(?i)ß|k",
    r"a{0}b",
    r"(?:\b)*a",
    r"(?:^a|b$|\bc\b)+",
    r"(|a)+$",
    r"(?:a|^)*b",
    r"[\x00-\x7f]{2}é",
    r"😀$",
];

const CHARACTERS: &[&str] = &[
    "", "a", "b", "c", "x", "y", "/", "1", "_", "-", " ", "\n", "\r", "\r\n", "k", "K", "\u{212a}", "é", "ß",
    "ẞ", "λ", "€", "😀", "@",
];

const INVALID: &[&[u8]] = &[b"\xff", b"\xc3", b"\xf0\x9f"];

/// Values, also such as are not UTF-8. A byte that could only be the middle of a character is not among
/// them: at a boundary `regex` takes it for a part of the character before it, and an automaton for none.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => select(CHARACTERS).prop_map(|text| text.as_bytes().to_vec()),
        1 => select(INVALID).prop_map(<[u8]>::to_vec),
        1 => "[ab1]{5,40}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn written() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        4 => select(&["a", "b", "ab", "é", "/", "1", "k", "x"][..]),
        2 => select(&[".", "[ab]", "[^a]", r"\w", r"\d", r"\s", "[a-cé]", r"\pL", r"(?-u:\w)", "(?s:.)"][..]),
        2 => select(&["^", "$", r"\b", r"\B", "(?m:^)", "(?m:$)", "(?mR:^)", "(?mR:$)", r"(?-u:\b)", r"(?-u:\B)"][..]),
        1 => select(&[r"\b{start}", r"\b{end}", r"\b{start-half}", r"\b{end-half}", r"(?-u:\b{start-half})"][..]),
        1 => select(&["(?i:k)", "(?i:ß)", "(?i:ab)", ""][..]),
    ];
    atom.prop_map(|atom| format!("(?:{atom})")).prop_recursive(4, 16, 4, |inner| {
        let count = select(&["*", "+", "?", "{2}", "{0,3}", "{2,}", "*?", "{0}"][..]);
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            1 => prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            2 => (inner, count).prop_map(|(part, count)| format!("({part}){count}")),
        ]
    })
}

fn compiled(written: &str) -> Pattern {
    Pattern::parse(written).unwrap_or_else(|error| panic!("{written}: {error}"))
}

/// The pattern as it comes out of a snapshot.
fn travelled(pattern: Pattern) -> Pattern {
    let yaml = b"metadata: {name: a}\nspec: {rules: [{match: {path: {exact: a}}, fault: {percentage: 1, delay_ms: 1}}]}";
    let mut policy = (*File::read(yaml).documents[0].policy).clone();
    policy.rules[0].matches.conditions[0].matcher.test = Test::Regex(pattern);
    let entry = SnapshotEntry { policy: policy.into(), started_at: None };
    let bytes = Snapshot { policies: vec![entry] }.encode(Format::V2);
    let arrived = Snapshot::decode(&bytes).unwrap();
    assert_eq!(arrived.encode(Format::V2), bytes);
    match &arrived.policies[0].policy.rules[0].matches.conditions[0].matcher.test {
        Test::Regex(pattern) => pattern.clone(),
        other => panic!("{other:?}"),
    }
}

fn compare(written: &str, values: &[Vec<u8>]) {
    let (pattern, regex) = (compiled(written), Regex::new(written).unwrap());
    let arrived = travelled(pattern.clone());
    for value in values {
        let wanted = regex.is_match(value);
        assert_eq!(pattern.is_match(value), wanted, "`{written}` in {:?}", String::from_utf8_lossy(value));
        assert_eq!(arrived.is_match(value), wanted, "`{written}` in {:?}", String::from_utf8_lossy(value));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_written(written in written(), values in prop::collection::vec(value(), 1..30)) {
        compare(&written, &values);
    }

    #[test]
    fn whatever_the_value(at in 0..REGEXES.len(), values in prop::collection::vec(value(), 1..30)) {
        compare(REGEXES[at], &values);
    }
}

#[test]
fn in_every_short_value() {
    let pieces: Vec<_> =
        CHARACTERS.iter().map(|text| text.as_bytes()).chain([&b"\xff"[..], b"\xe2\x82"]).collect();
    let pairs = pieces.iter().flat_map(|one| pieces.iter().map(move |other| [*one, *other].concat()));
    let triples = pairs.flat_map(|pair| ["", "a", "\n"].map(|end| [&pair, end.as_bytes()].concat()));
    let values: Vec<_> = triples.collect();
    for written in REGEXES {
        compare(written, &values);
    }
}

/// A byte that is not part of a character is no word character, whatever is beside it.
#[test]
fn a_stray_byte_is_no_word_character() {
    let boundary = compiled(r"a\b");
    assert!(
        boundary.is_match(b"a\x80") && boundary.is_match(b"a\xff") && !boundary.is_match("aé".as_bytes())
    );
    assert!(!compiled(r"\b\z").is_match(b"a\x80"));
    for written in ["a.b", "a[^x]b", r"a\PLb"] {
        assert!(!compiled(written).is_match(b"a\x80b") && compiled(written).is_match(b"a-b"), "{written}");
    }
}

/// An automaton has no more states and classes than it needs, so regexes that mean the same have the same one.
#[test]
fn regexes_that_mean_the_same_are_one_in_a_snapshot() {
    let size = |regexes: &[&str]| {
        let rules: Vec<_> = regexes
            .iter()
            .map(|regex| {
                format!("{{match: {{path: {{regex: '{regex}'}}}}, fault: {{percentage: 1, delay_ms: 1}}}}")
            })
            .collect();
        let yaml = format!("metadata: {{name: a}}\nspec: {{rules: [{}]}}", rules.join(", "));
        let file = File::read(yaml.as_bytes());
        let entry = |document: &std::sync::Arc<policies::repository::ParsedPolicy>| SnapshotEntry {
            policy: document.policy.clone(),
            started_at: None,
        };
        Snapshot { policies: file.documents.iter().map(entry).collect() }.encode(Format::V2).len()
    };
    let (one, same) = (size(&[r"\w+@\w+"]), size(&[r"\w+@\w+", r"\w@\w", r"\w+?@\w*\w", r"(\w@\w)"]));
    assert!(one > 2_000 && same < one + 100, "{one} {same}");
    let (other, both) = (size(&[r"^\w{3}-"]), size(&[r"\w+@\w+", r"^\w{3}-"]));
    assert!(both < one + other / 2, "they do not share the classes of \\w: {one} {other} {both}");
    let (same, other) = (["^[acegikm]$", "^[acegikm]{2}$"], ["^[acegikm]$", "^[bdfhjln]{2}$"]);
    assert!(size(&same) + 20 < size(&other), "they do not share their classes");
}
