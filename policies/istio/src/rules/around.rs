//! The rules of objects of Kubernetes among each other, and beside the resources of Istio.

mod istiod;
mod protocols;

use crate::{finding::Finding, resource::Resource, surroundings::Object};

/// The ids of its rules.
pub(super) const IDS: [&str; 2] = [istiod::ID, protocols::ID];

/// The number of an object, and what is wrong with it.
type Found = Vec<(usize, Finding)>;

/// Checks the objects that a repository holds, beside the resources that it holds.
pub(crate) fn check_around(objects: &[&Object], resources: &[&Resource]) -> Found {
    let mut found = protocols::x116(objects);
    found.extend(istiod::x175(objects, resources));
    found
}
