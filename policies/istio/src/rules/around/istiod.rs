//! The addresses from which istiod fetches keys of tokens.

use super::Found;
use crate::{
    field::Field,
    finding::Finding,
    resource::{Kind, Resource},
    surroundings::Object,
};

pub(super) const ID: &str = "X175";

/// Whoever may write a RequestAuthentication can let istiod ask an address that is not for him.
pub(super) fn x175(objects: &[&Object], resources: &[&Resource]) -> Found {
    if !resources.iter().any(|resource| lets_keys_be_fetched(resource)) {
        return Found::new();
    }
    let istiods = objects
        .iter()
        .enumerate()
        .filter(|(_, object)| object.pods().is_some_and(|pods| pods.fetches_from_anywhere));
    let reason =
        "lack `BLOCKED_CIDRS_IN_JWKS_URIS`, so that a RequestAuthentication makes istiod ask any address";
    let finding = Finding::warning(ID, "spec.template.spec.containers", reason)
        .right("write there the blocks of addresses that istiod must not ask, such as `169.254.0.0/16`");
    istiods.map(|(number, _)| (number, finding.clone())).collect()
}

/// True if a resource has tokens whose keys are not in it.
fn lets_keys_be_fetched(resource: &Resource) -> bool {
    let mut rules = Field::root("spec", &resource.spec).get("jwtRules").items();
    resource.kind == Kind::RequestAuthentication && rules.any(|rule| rule.word("jwks").is_empty())
}
