//! `hfi validate` holds applications to the guardrails of their directories and of those above.

use serde_json::Value;

use crate::{applications_are_checked_with_policies::directory, support::hfi};

const FILTER: &str = "apiVersion: hfi.dev/v1
kind: AppConfiguration
metadata: {name: reviews, namespace: shop}
spec: {envoyFilter: {localRateLimit: {requests: 1}}}
";

/// The messages of the errors of a directory with these files.
fn errors(files: &[(&str, &str)]) -> Vec<String> {
    let directory = directory(files);
    let (_, text) = hfi(directory.path(), &["validate", "shop", "-o", "json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    let errors = report["errors"].as_array().unwrap().iter();
    errors.map(|error| error["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_needs_leave_has_it_from_a_guardrail_above() {
    let refused = errors(&[("shop/reviews.yaml", FILTER)]);
    assert!(refused.len() == 1 && refused[0].ends_with("[LIM01]"), "{refused:?}");
    let leave = "kind: Guardrail\nspec: {istio: {kinds: [EnvoyFilter]}}\n";
    let above = ("shop/guardrail.yaml", leave);
    assert!(errors(&[("shop/team/reviews.yaml", FILTER), above]).is_empty());
    let beside = ("shop/other/guardrail.yaml", leave);
    assert_eq!(errors(&[("shop/team/reviews.yaml", FILTER), beside]).len(), 1);
    let stricter = ("shop/team/guardrail.yaml", "kind: Guardrail\nspec: {istio: {kinds: [Gateway]}}\n");
    assert_eq!(errors(&[("shop/team/reviews.yaml", FILTER), above, stricter]).len(), 1);
}

#[test]
fn a_guardrail_that_cannot_be_read_gives_no_leave() {
    let leave = ("shop/a.yaml", "kind: Guardrail\nspec: {istio: {kinds: [EnvoyFilter]}}\n");
    let broken = ("shop/b.yaml", "kind: Guardrail\nspec: {istio: {kinds: EnvoyFilter}}\n");
    let errors = errors(&[("shop/team/reviews.yaml", FILTER), leave, broken]);
    assert!(errors.iter().any(|error| error.ends_with("[LIM01]")), "{errors:?}");
}
