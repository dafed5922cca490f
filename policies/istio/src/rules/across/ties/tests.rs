//! Where a resource goes, no rule says something else about another one that needs nothing of it: for all that the
//! tests of the rules have.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use super::ties;
use crate::{
    finding::Level, in_force::InForce, resource::Resource, rules::check_all, surroundings::Surroundings,
};

#[expect(dead_code, reason = "the tests of the rules use the rest")]
#[path = "../../../../tests/resources/mod.rs"]
mod resources;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rules");

/// The errors of each resource.
fn errors(resources: &[&Resource], around: &Surroundings) -> Vec<BTreeSet<(&'static str, String)>> {
    let mut errors = vec![BTreeSet::new(); resources.len()];
    for (number, finding) in check_all(resources, &InForce::default(), around) {
        if finding.level == Level::Error {
            errors[number].insert((finding.rule, finding.field));
        }
    }
    errors
}

#[test]
fn what_needs_nothing_of_what_goes_is_as_right_or_wrong_as_before() {
    let (mut wrong, mut all_tied) = (Vec::new(), Vec::new());
    for file in fs::read_dir(CASES).unwrap().map(|file| file.unwrap().path()) {
        let cases: Value = serde_yaml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let all = ["bad", "near"].into_iter().flat_map(|list| cases[list].as_array().unwrap());
        let (mut pairs, mut untied) = (0, 0);
        for (case, (resources, around)) in all.filter_map(resources::several).enumerate() {
            let all: Vec<_> = resources.iter().collect();
            let (ties, before) = (ties(&all, &InForce::default(), &around), errors(&all, &around));
            for gone in 0..all.len() {
                let mut left = all.clone();
                left.remove(gone);
                pairs += left.iter().filter(|other| other.order() != all[gone].order()).count();
                let mut after = errors(&left, &around);
                after.insert(gone, BTreeSet::new());
                let is_tied =
                    |number: usize| ties[number].needs.iter().any(|tie| ties[gone].gives.contains(tie));
                for number in (0..all.len()).filter(|number| *number != gone && !is_tied(*number)) {
                    untied += 1;
                    if before[number] != after[number] {
                        wrong.push(format!("{}, {case}: {number} without {gone}", file.display()));
                    }
                }
            }
        }
        if pairs > 0 && untied == 0 {
            all_tied.push(file.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(all_tied.is_empty(), "too much is tied in all cases of {all_tied:?}");
}
