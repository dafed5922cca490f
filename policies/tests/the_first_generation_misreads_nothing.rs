//! What is shown of a policy is read back as that policy, and clients of the first generation are shown only
//! what they read as it is meant.
#![cfg(test)]
#![cfg(feature = "authoring")]

use std::{fs, path::Path, sync::Arc};

use policies::{
    File, Policy, Timestamp,
    rendering::{first_generation, json},
    wire::SnapshotEntry,
};
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);

fn entry(yaml: &str, started_at: Option<Timestamp>) -> SnapshotEntry {
    let file = File::read(yaml.as_bytes());
    assert!(file.findings.is_empty(), "{yaml}\n{:#?}", file.findings);
    SnapshotEntry { policy: Arc::clone(&file.policies()[0].policy), started_at }
}

fn with(spec: &str, matches: &str, fault: &str) -> SnapshotEntry {
    let rules = format!("rules: [{{{matches}fault: {{percentage: 5, {fault}}}}}]");
    entry(&format!("metadata: {{name: a}}\nspec: {{{spec}{rules}}}"), None)
}

/// Every valid policy of the files below a directory of this crate.
fn valid(directory: &Path, found: &mut Vec<File>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            valid(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            found.push(File::read(&fs::read(path).unwrap()));
        }
    }
}

/// The policy with the headers of its aborts in order: JSON has none.
fn sorted(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    let aborts = policy.rules.iter_mut().filter_map(|rule| rule.fault.abort.as_mut());
    aborts.for_each(|abort| abort.headers.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str())));
    policy
}

#[test]
fn what_is_shown_is_read_back_as_the_same_policy() {
    let mut files = Vec::new();
    for directory in ["examples", "tests"] {
        valid(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory), &mut files);
    }
    let policies: Vec<_> = files.iter().flat_map(File::policies).collect();
    assert!(policies.len() > 60, "only {}", policies.len());
    let mut known = 0;
    for parsed in policies {
        let shown = json::in_full(parsed).to_string();
        let read = File::read(shown.as_bytes());
        assert!(read.findings.is_empty(), "{shown}\n{:#?}", read.findings);
        assert_eq!(sorted(&read.policies()[0].policy), sorted(&parsed.policy), "{shown}");
        assert_eq!(json::in_full(&read.policies()[0]).to_string(), shown);

        let entry = SnapshotEntry { policy: Arc::clone(&parsed.policy), started_at: Some(NOW) };
        let Ok(shown) = first_generation::policy(&entry, NOW) else { continue };
        let read = File::read(shown.to_string().as_bytes());
        assert!(read.findings.is_empty(), "{shown}\n{:#?}", read.findings);
        known += 1;
    }
    assert!(known > 10, "only {known}");
}

#[test]
fn version_labels_and_annotations_are_shown_as_they_are_written() {
    let file = File::read(
        b"metadata: {name: a, version: 1.10, labels: {a: b, n: 0x1F}, annotations: {c: \"1.10\", d: [null, true]}}\nspec: {rules: [{fault: {percentage: 5, delay_ms: 1}}]}",
    );
    assert!(file.findings.is_empty(), "{:#?}", file.findings);
    assert_eq!(
        json::in_full(&file.policies()[0])["metadata"],
        json!({"name": "a", "version": 1.1, "labels": {"a": "b", "n": 31}, "annotations": {"c": "1.10", "d": [null, true]}}),
    );
}

#[test]
fn what_the_first_generation_does_not_know_is_named() {
    for (entry, field) in [
        (with("selector: {service: 'a*'}, ", "", "delay_ms: 1"), "spec.selector.service with `*`"),
        (with("selector: {namespace: '*a'}, ", "", "delay_ms: 1"), "spec.selector.namespace with `*`"),
        (with("selector: {host: a.example}, ", "", "delay_ms: 1"), "spec.selector.host"),
        (with("direction: outbound, ", "", "delay_ms: 1"), "spec.direction"),
        (with("mode: shadow, ", "", "delay_ms: 1"), "spec.mode"),
        (with("priority: 1, ", "", "delay_ms: 1"), "spec.priority"),
        (with("suspend: true, ", "", "delay_ms: 1"), "spec.suspend"),
        (with("startsAt: 2000-01-01T00:00:00Z, ", "", "delay_ms: 1"), "spec.startsAt"),
        (with("expiresAt: 2999-01-01T00:00:00Z, ", "", "delay_ms: 1"), "spec.expiresAt"),
        (with("", "match: {query: [{name: a, exact: b}]}, ", "delay_ms: 1"), "spec.rules[0].match.query"),
        (
            with("", "match: {path: {not: {exact: /}}}, ", "delay_ms: 1"),
            "spec.rules[0].match.path with `not`",
        ),
        (
            with("", "match: {headers: [{name: a, present: true}]}, ", "delay_ms: 1"),
            "spec.rules[0].match.headers with `present`",
        ),
        (
            with("", r"match: {path: {regex: '\w{300}'}}, ", "delay_ms: 1"),
            "spec.rules[0].match.path with a large regex",
        ),
        (with("", "match: {source: {namespace: a}}, ", "delay_ms: 1"), "spec.rules[0].match.source"),
        (with("", "", "stickyBy: x-user, delay_ms: 1"), "spec.rules[0].fault.stickyBy"),
        (
            with("", "", "delay: {min_ms: 1, max_ms: 2}"),
            "spec.rules[0].fault.delay with `min_ms` and `max_ms`",
        ),
        (with("", "", "delay_ms: 1, abort: {httpStatus: 503}"), "spec.rules[0].fault.delay beside an abort"),
        (with("", "", "abort: {grpcStatus: UNAVAILABLE}"), "spec.rules[0].fault.abort.grpcStatus"),
        (
            with("", "", "abort: {httpStatus: 503, headers: {retry-after: '1'}}"),
            "spec.rules[0].fault.abort.headers",
        ),
    ] {
        assert_eq!(first_generation::policy(&entry, NOW), Err(field.to_owned()));
    }
    let fraction = "metadata: {name: a}\nspec: {rules: [{fault: {percentage: 0.5, delay_ms: 1}}]}";
    let unknown = first_generation::policy(&entry(fraction, None), NOW);
    assert_eq!(unknown, Err("spec.rules[0].fault.percentage with decimals".to_owned()));
}

#[test]
fn a_rule_that_has_ended_is_gone_and_each_rule_has_a_match() {
    let yaml = "metadata: {name: a}\nspec: {rules: [
        {match: {path: {exact: /a}}, fault: {percentage: 5, duration_seconds: 10, delay_ms: 1, abort: {httpStatus: 503}}},
        {fault: {percentage: 5, duration_seconds: 20, delay_ms: 1}},
        {fault: {percentage: 6, delay_ms: 2}}]}";
    let entry = entry(yaml, Some(NOW));
    let rules = |now: Timestamp| -> Vec<Value> {
        first_generation::policy(&entry, now).unwrap()["spec"]["rules"].as_array().unwrap().clone()
    };
    assert!(first_generation::policy(&entry, NOW).is_err(), "the first rule has two actions");
    assert_eq!(first_generation::next_end(&entry, NOW), Some(NOW.plus_seconds(10)));
    let later = rules(NOW.plus_seconds(10));
    assert_eq!(later.len(), 2);
    assert!(later.iter().all(|rule| rule["match"] == json!({"path": {"prefix": "/"}})), "{later:?}");
    assert_eq!(first_generation::next_end(&entry, NOW.plus_seconds(10)), Some(NOW.plus_seconds(20)));
    let [last] = &rules(NOW.plus_seconds(20))[..] else { panic!("not one rule") };
    assert_eq!(last["fault"]["percentage"], 6);
    assert_eq!(first_generation::next_end(&entry, NOW.plus_seconds(20)), None);
}
