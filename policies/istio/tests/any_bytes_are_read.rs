//! Whatever bytes a file has, it is read; and what is valid is rendered to what Istio takes.
#![cfg(test)]

mod any_file;

use std::{fs, path::Path};

use proptest::prelude::*;

use self::any_file::holds;

/// The text of every case.
fn cases() -> Vec<String> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let sections = fs::read_dir(golden).unwrap().map(|section| section.unwrap().path());
    let files = sections.flat_map(|section| fs::read_dir(section).unwrap());
    files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn what_holds_for_every_file_holds_for_every_case() {
    let cases = cases();
    assert!(cases.len() > 30, "only {} cases were found", cases.len());
    cases.iter().for_each(|case| holds(case.as_bytes()));
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        holds(&bytes);
        holds(&[b"kind: AppConfiguration\n", bytes.as_slice()].concat());
    }

    /// Words of one case in the place of words of another: mistakes that people make.
    #[test]
    fn cases_with_exchanged_words_are_read(
        case in prop::sample::select(cases()),
        other in prop::sample::select(cases()),
        at in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..4),
    ) {
        let is_edge = |c: char| " \n:,{}[]\"".contains(c);
        let words: Vec<_> = other.split(is_edge).collect();
        let mut pieces: Vec<_> = case.split_inclusive(is_edge).map(str::to_owned).collect();
        for (place, word) in at {
            let piece = place.get_mut(&mut pieces);
            let edge = piece.pop().filter(|c| is_edge(*c)).map(String::from).unwrap_or_default();
            *piece = format!("{}{edge}", word.get(&words));
        }
        holds(pieces.concat().as_bytes());
    }
}
