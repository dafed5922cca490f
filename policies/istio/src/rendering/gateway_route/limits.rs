//! The limits of the Gateway API.

use std::collections::BTreeMap;

use serde_json::Value;

use super::draft::Draft;
use crate::{
    backbone,
    finding::Level,
    resource::{Kind, Resource},
    written::Route,
};

/// The most matches of all routes together.
const MAX_MATCHES: usize = 128;

/// Notes more matches than an object may have. True if there are few enough.
pub(super) fn has_few_matches(routes: &[&Route], draft: &mut Draft) -> bool {
    let count: usize = routes.iter().map(|route| route.matches.len().max(1)).sum();
    if count > MAX_MATCHES {
        draft.misfit(
            "routes",
            &format!("has {count} matches, and takes {MAX_MATCHES} of all routes together"),
        );
    }
    count <= MAX_MATCHES
}

/// Notes the values that the API server would refuse. What an author changes by `spec` is checked as a whole, later.
pub(super) fn check(kind: Kind, spec: &Value, written: usize, draft: &mut Draft) {
    let (namespace, name, labels, annotations) =
        <(String, String, BTreeMap<_, _>, BTreeMap<_, _>)>::default();
    let resource = Resource { kind, namespace, name, labels, annotations, spec: spec.clone() };
    for found in backbone::check(&resource) {
        if found.level == Level::Error {
            let field = found.field.strip_prefix("spec.").unwrap_or(&found.field);
            draft.exceeds(&attribute(field, written), field, &found.reason);
        } else {
            // Only some versions take it.
            draft.differs();
        }
    }
}

/// The attribute that a field is rendered from.
fn attribute(field: &str, written: usize) -> String {
    let number = field.strip_prefix("rules[").and_then(|rest| rest.split_once(']')?.0.parse().ok());
    match number {
        Some(number) if number < written => format!("routes[{number}]"),
        Some::<usize>(_) => "fallback".to_owned(),
        None if field.starts_with("hostnames") => "hosts".to_owned(),
        None if field.starts_with("parentRefs") => "gateways".to_owned(),
        None => "routes".to_owned(),
    }
}
