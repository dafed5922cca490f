//! Decoding is the inverse of encoding, and never trusts what it reads.
#![cfg(test)]
#![cfg(feature = "authoring")]

use policies::{
    File, Program, Scope, Snapshot, Timestamp,
    evaluation::{AlwaysHit, StaticRequest},
    wire::{Format, SnapshotEntry},
};
use proptest::prelude::*;

/// Any valid matcher, as YAML.
fn matcher() -> impl Strategy<Value = String> {
    (prop_oneof!["exact", "prefix", "regex"], "[a-zé/]{0,6}")
        .prop_map(|(kind, text)| format!("{{{kind}: '{text}'}}"))
}

/// Any valid rule, as YAML.
fn rule() -> impl Strategy<Value = String> {
    (matcher(), matcher(), 0..=1_000_000u32, 0..15_000u32, 1..15_000u32, 200..600u16, 0..9u32).prop_map(
        |(path, header, parts, start, delay, status, seconds)| {
            format!(
                "{{match: {{path: {path}, headers: [{{name: X-A, {}]}}, fault: {{percentage: {}.{:04}, start_delay_ms: {start}, duration_seconds: {seconds}, delay_ms: {delay}, abort: {{httpStatus: {status}}}}}}}",
                header.trim_start_matches('{'), parts / 10_000, parts % 10_000
            )
        },
    )
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    (prop::collection::vec(rule(), 1..4), "[a-z*]{1,5}", prop::option::of(0..u64::MAX)).prop_map(
        |(rules, service, start)| {
            let yaml = format!(
                "metadata: {{name: a}}\nspec: {{selector: {{service: '{service}'}}, rules: [{}]}}",
                rules.join(", ")
            );
            let file = File::read(yaml.as_bytes());
            assert!(file.findings.is_empty(), "{yaml}\n{:#?}", file.findings);
            let entry = |policy| SnapshotEntry { policy, started_at: start.map(Timestamp::from_millis) };
            Snapshot {
                policies: file.documents.iter().map(|declared| entry(declared.policy.clone())).collect(),
            }
        },
    )
}

proptest! {
    #[test]
    fn what_was_encoded_decodes_to_the_same_bytes(snapshot in snapshot()) {
        let bytes = snapshot.encode(Format::V2);
        let decoded = Snapshot::decode(&bytes).unwrap();
        prop_assert_eq!(decoded.policies.len(), 1);
        prop_assert_eq!(decoded.encode(Format::V2), bytes);
    }

    #[test]
    fn damaged_bytes_are_an_error_or_another_valid_snapshot_but_never_a_panic(
        snapshot in snapshot(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        value in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        for format in Format::ALL {
            let mut bytes = snapshot.encode(format);
            for (at, byte) in &changes {
                // The automata come first: most changes are to hit them.
                let at = at.index(bytes.len());
                let at = if at % 4 == 0 { at } else { at % bytes.len().min(400) };
                bytes[at] = *byte;
            }
            if let Ok(decoded) = Snapshot::decode(&bytes) {
                let request = StaticRequest {
                    target: Some(String::from_utf8_lossy(&value).into_owned()),
                    headers: vec![("x-a".to_owned(), String::from_utf8_lossy(&value).into_owned())],
                    ..StaticRequest::default()
                };
                Program::compile(&decoded, &Scope::new(["*"], ["*"]).unwrap()).decide(&request, &mut AlwaysHit);
                let again = Snapshot::decode(&decoded.encode(Format::V2));
                prop_assert!(again.is_ok_and(|again| again == decoded));
            }
            bytes.truncate(cut.index(bytes.len()));
            let _ = Snapshot::decode(&bytes);
        }
    }
}

/// A few bytes can say that a table is large; all tables together are counted before they take memory.
#[test]
fn a_body_that_unfolds_to_more_than_any_valid_one_is_refused() {
    // One class map of one class, and automata of rows that all are like that of the first end.
    let body = |automata: u8, rows: u16| {
        let wide_maps = [1, 1, 0x80, 1, 0];
        let class_maps = [1, 0, 1, 0, 0, 0, 0];
        let mut bytes = [&b"hfi\x02"[..], &wide_maps, &class_maps, &[automata]].concat();
        for _ in 0..automata {
            let [low, middle, high] = [(rows & 0x7f) | 0x80, ((rows >> 7) & 0x7f) | 0x80, rows >> 14];
            bytes.extend([0, 2, low as u8, middle as u8, high as u8]);
            bytes.extend([0, 0].repeat(rows.into()));
        }
        bytes.push(0);
        bytes
    };
    assert!(Snapshot::decode(&body(1, 32_000)).is_ok());
    assert!(Snapshot::decode(&body(1, 33_000)).is_err(), "the table of one automaton");
    assert!(Snapshot::decode(&body(30, 32_000)).is_ok());
    assert!(Snapshot::decode(&body(40, 32_000)).is_err(), "all tables");
}

#[test]
fn what_is_no_snapshot_is_refused() {
    let bytes = Snapshot { policies: Vec::new() }.encode(Format::V1);
    assert!(Snapshot::decode(&bytes).is_ok());
    for bad in [&b""[..], b"<html>", b"hfi\x03\x00", b"hfi\x01", &[&bytes[..], b"x"].concat()] {
        assert!(Snapshot::decode(bad).is_err(), "{bad:?}");
    }
}
