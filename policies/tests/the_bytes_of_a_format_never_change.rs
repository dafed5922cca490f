//! Every format writes the bytes that are kept in `tests/wire`, and reads them back.
//!
//! Beside each YAML file stand the bytes of its policies in each format. Those of format 1 were written by
//! the first build that had it: if they differ, filters that run already can no longer be served. Those of
//! format 2, which is not released, are written again by
//! `HFI_WRITE_FORMAT_2=1 cargo test -p policies --test the_bytes_of_a_format_never_change`.
#![cfg(test)]
#![cfg(feature = "authoring")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use policies::{
    Catalog, File, Snapshot, Timestamp,
    language::{Destination, Flow, Test},
    repository::Sources,
    wire::{Format, SnapshotEntry, SnapshotError},
};

const NOON: &str = "2026-12-01T12:00:00Z";

/// The YAML files, by name, and the snapshot of all their policies.
fn cases() -> Vec<(String, Snapshot)> {
    let files = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let yaml = files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let cases: Vec<_> = yaml.map(|path| (name(&path), snapshot(&fs::read(&path).unwrap()))).collect();
    assert!(cases.len() >= 5, "only {} cases were found", cases.len());
    cases
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire")
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

fn bytes_of(name: &str, format: Format) -> PathBuf {
    directory().join(format!("v{}", format.number())).join(format!("{name}.bin"))
}

/// All policies, also those that are not in force.
fn snapshot(yaml: &[u8]) -> Snapshot {
    let (path, file) = ("policy.yaml".into(), File::read(yaml));
    let sources = Sources { files: vec![(&path, &file)], ..Sources::default() };
    let catalog = Catalog::new(&sources, |_, _| Timestamp::parse(NOON).ok().map(Into::into));
    assert!(catalog.problems().is_empty(), "{:#?}", catalog.problems());
    Snapshot { policies: catalog.policies().iter().map(|placed| placed.entry.clone()).collect() }
}

#[test]
fn each_case_is_written_as_it_always_was() {
    for (name, snapshot) in cases() {
        if std::env::var_os("HFI_WRITE_FORMAT_2").is_some() {
            fs::write(bytes_of(&name, Format::V2), snapshot.encode(Format::V2)).unwrap();
        }
        for format in Format::ALL {
            let kept = fs::read(bytes_of(&name, format)).unwrap();
            assert!(snapshot.encode(format) == kept, "{name} has other bytes in {format:?}");
        }
    }
}

#[test]
fn each_case_is_read_as_what_it_was_written_from() {
    for (name, snapshot) in cases() {
        let read = |format| Snapshot::decode(&fs::read(bytes_of(&name, format)).unwrap()).unwrap();
        // A regex travels without the text that its author wrote, so snapshots are compared by what
        // they are written as.
        assert!(read(Format::V2).encode(Format::V2) == snapshot.encode(Format::V2), "{name}");
        let bytes = run_from_format_1(snapshot).encode(Format::V2);
        assert!(read(Format::V1).encode(Format::V2) == bytes, "{name}");
    }
}

/// Format 1 has no hosts, and a filter compiles no regex: policies that have one are left out, with those behind
/// them.
fn run_from_format_1(mut snapshot: Snapshot) -> Snapshot {
    let mut cut = Vec::new();
    snapshot.policies.retain(|SnapshotEntry { policy, .. }| {
        let goes_to_host = matches!(policy.flow, Flow::Outbound { destination: Destination::Host(_) });
        if policy.selector.target.is_host() || goes_to_host {
            cut.push(policy.flow.direction());
        }
        !cut.contains(&policy.flow.direction())
    });
    let has_regex = |entry: &SnapshotEntry| {
        let mut conditions = entry.policy.rules.iter().flat_map(|rule| &rule.matches.conditions);
        conditions.any(|condition| matches!(condition.matcher.test, Test::Regex(_)))
    };
    let known = snapshot.policies.iter().position(has_regex).unwrap_or(snapshot.policies.len());
    snapshot.policies.truncate(known);
    snapshot
}

#[test]
fn one_changed_byte_is_another_snapshot_or_none() {
    for (name, snapshot) in cases().into_iter().filter(|(name, _)| name != "matchers") {
        for format in Format::ALL {
            let kept = snapshot.encode(format);
            for position in 0..kept.len() {
                let mut changed = kept.clone();
                changed[position] ^= 1;
                let same = Snapshot::decode(&changed).is_ok_and(|read| read.encode(format) == kept);
                // A header name is the same in either case, and is written in lower case.
                let is_letter_case = changed[position].is_ascii_alphabetic();
                assert!(!same || is_letter_case, "{name}, {format:?}: byte {position} means nothing");
            }
        }
    }
}

#[test]
fn a_format_that_this_build_does_not_know_is_named() {
    let error = |bytes: &[u8]| Snapshot::decode(bytes).unwrap_err();
    assert_eq!(error(b"hfi\x09\x00").to_string(), "format 9 is newer than this filter knows");
    for foreign in [&b""[..], b"<html>", b"hfi", b"hfi\x00\x00"] {
        assert!(matches!(error(foreign), SnapshotError::NotASnapshot), "{foreign:?}");
    }
}
