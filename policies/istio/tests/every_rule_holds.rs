//! Every rule has a case that breaks it, and one that nearly does: `rules/ID.yaml`.
//!
//! A file has two lists, `bad` and `near`. An item is a resource, whose name and namespace are `reviews` and `shop`
//! unless it says others, or several `resources` and what is `around` them, or `objects` as a file has them. `at` of a bad one is the field that the
//! rule names, and `level` how much it matters, where several are possible. A bad one may break other rules too; a near one has no error at all.
#![cfg(test)]

mod resources;

use std::{collections::BTreeSet, fs};

use istio_config::{Finding, Level, rules};
use serde_json::Value;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rules");

/// The ids that have a file, and their cases.
fn cases() -> Vec<(String, Value)> {
    let files = fs::read_dir(CASES).unwrap().map(|file| file.unwrap().path());
    let mut cases: Vec<_> = files
        .map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            let cases =
                serde_yaml::from_str(&text).unwrap_or_else(|wrong| panic!("{}: {wrong}", file.display()));
            (file.file_stem().unwrap().to_str().unwrap().to_owned(), cases)
        })
        .collect();
    cases.sort_by(|(one, _), (other, _)| one.cmp(other));
    cases
}

#[test]
fn every_rule_has_a_case() {
    let cases: BTreeSet<_> = cases().into_iter().map(|(id, _)| id).collect();
    let ids: BTreeSet<_> = rules::ids().into_iter().map(str::to_owned).collect();
    assert_eq!(cases, ids, "left are the cases, right the rules");
}

fn has_level(found: &Finding, level: &Value) -> bool {
    level.as_str().is_none_or(|level| format!("{:?}", found.level).eq_ignore_ascii_case(level))
}

#[test]
fn a_rule_says_what_breaks_it_and_nothing_else() {
    let mut wrong = Vec::new();
    for (id, cases) in cases() {
        for (number, case) in cases["bad"].as_array().unwrap().iter().enumerate() {
            let found = resources::findings(case);
            let of_rule = found.iter().filter(|found| found.rule == id && has_level(found, &case["level"]));
            let at: Vec<_> = of_rule.map(|found| found.field.as_str()).collect();
            if at.first().copied() != case["at"].as_str() {
                wrong.push(format!(
                    "{id}: bad[{number}] is found at {at:?}, not at {}: {found:?}",
                    case["at"]
                ));
            }
        }
        for (number, case) in cases["near"].as_array().unwrap().iter().enumerate() {
            let found = resources::findings(case);
            let amiss = found.iter().filter(|found| found.rule == id || found.level == Level::Error);
            wrong.extend(amiss.map(|found| format!("{id}: near[{number}]: {found}")));
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
