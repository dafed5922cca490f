//! Decoding is the inverse of encoding, and never trusts what it reads.
#![cfg(test)]
#![cfg(feature = "authoring")]

use policies::{
    File, Program, Scope, Snapshot, Timestamp,
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
            Snapshot { policies: file.documents.into_iter().map(|declared| entry(declared.policy)).collect() }
        },
    )
}

proptest! {
    #[test]
    fn what_was_encoded_decodes_to_the_same_bytes_and_compiles(snapshot in snapshot()) {
        let bytes = snapshot.encode(Format::V1);
        let decoded = Snapshot::decode(&bytes).unwrap();
        prop_assert_eq!(decoded.encode(Format::V1), bytes);
        let everyone = Scope::new(["*"], ["*"]).unwrap();
        prop_assert!(Program::compile(&decoded, &everyone).is_ok());
    }

    #[test]
    fn damaged_bytes_are_an_error_or_another_valid_snapshot_but_never_a_panic(
        snapshot in snapshot(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = snapshot.encode(Format::V1);
        let position = at.index(bytes.len());
        bytes[position] = byte;
        let _ = Snapshot::decode(&bytes).map(|decoded| Program::compile(&decoded, &Scope::unknown()).is_ok());
        bytes.truncate(cut.index(bytes.len()));
        let _ = Snapshot::decode(&bytes);
    }
}

#[test]
fn what_is_no_snapshot_is_refused() {
    let bytes = Snapshot { policies: Vec::new() }.encode(Format::V1);
    assert!(Snapshot::decode(&bytes).is_ok());
    for bad in [&b""[..], b"<html>", b"hfi\x03\x00", b"hfi\x01", &[&bytes[..], b"x"].concat()] {
        assert!(Snapshot::decode(bad).is_err(), "{bad:?}");
    }
}
