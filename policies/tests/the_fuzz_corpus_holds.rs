//! The checks of the fuzz targets hold for every input that they start from.
#![cfg(test)]
#![cfg(feature = "testing")]

use std::{fs, path::Path};

use policies::{Snapshot, testing::any_bytes};

/// Shows each input of a directory of this package to a check.
fn replay(folder: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            // Shown only when the check fails: which input it was.
            println!("{}", path.display());
            check(&fs::read(&path).unwrap());
            inputs += 1;
        }
    }
    assert!(inputs > 0, "{} is empty", folder.display());
}

#[test]
fn any_file_is_read_and_what_is_valid_is_accepted_by_a_filter() {
    replay("fuzz/corpus/yaml", any_bytes::yaml);
}

#[test]
fn every_example_is_accepted_by_a_filter() {
    replay("examples", any_bytes::yaml);
}

#[test]
fn any_file_is_edited_or_left_as_it_is() {
    for inputs in ["examples", "fuzz/corpus/edit"] {
        replay(inputs, any_bytes::edit);
    }
}

/// Otherwise a search would begin with bytes that are refused at once: `fuzz/examples/seeds.rs` writes them.
#[test]
fn the_seeds_of_snapshots_are_in_the_present_formats() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/snapshot");
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "v1" || extension == "v2") {
            let decoded = Snapshot::decode(&fs::read(&path).unwrap());
            assert!(decoded.is_ok(), "{}: {decoded:?}", path.display());
        }
    }
}

#[test]
fn any_snapshot_is_decoded_or_refused() {
    replay("fuzz/corpus/snapshot", any_bytes::snapshot);
}

#[test]
fn any_report_of_faults_is_read_or_refused() {
    replay("fuzz/corpus/faults", any_bytes::faults);
}
