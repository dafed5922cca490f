//! Objects that others have made: an application takes them over only where its document says so.
//!
//! Flux takes an object over silently and by force. Of two that apply one object, the one that lets go deletes it for
//! both.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Catalog, RenderedApplication};
use crate::{file::File, finding::Finding, in_force::InForce, rendering::Rendered};

/// An error for each rendered object that a file has by hand, unless the application has it in force or its entry says
/// `adopt: true`.
pub(super) fn check(
    catalog: &Catalog,
    files: &[(Arc<str>, &File)],
    in_force: &InForce,
) -> Vec<(usize, Finding)> {
    let mut by_hand = BTreeMap::new();
    for (path, file) in files {
        for raw in file.raw().iter().filter(|raw| raw.resource.application().is_none()) {
            by_hand.entry(raw.resource.order()).or_insert_with(|| format!("{path}:{}", raw.place.line));
        }
    }
    let mut found = Vec::new();
    for (number, rendered) in catalog.applications.iter().enumerate() {
        let new = new(rendered, in_force).into_iter();
        let taken = new.filter_map(|new| Some(error(new, by_hand.get(&new.resource.order())?)));
        found.extend(taken.map(|error| (number, error)));
    }
    found
}

/// The objects that an application does not have in force, and whose entries do not say `adopt: true`.
fn new<'a>(
    RenderedApplication { application, resources, .. }: &'a RenderedApplication,
    in_force: &InForce,
) -> Vec<&'a Rendered> {
    let adopting = application.entries.iter().filter(|entry| entry.adopt);
    let adopting: BTreeSet<_> = adopting.map(|entry| entry.field.as_str()).collect();
    let in_force = in_force.of(application.namespace.as_str(), application.name.as_str());
    let in_force: BTreeSet<_> = in_force.iter().map(|object| object.order()).collect();
    let is_new = |rendered: &&Rendered| {
        !adopting.contains(rendered.field.as_str()) && !in_force.contains(&rendered.resource.order())
    };
    resources.iter().filter(is_new).collect()
}

fn error(Rendered { resource, entry, field }: &Rendered, place: &str) -> Finding {
    let kind = resource.kind.name();
    let reason = format!("renders to the {kind} `{}`, which {place} has by hand", resource.name);
    let right = format!("take it out of {place}, or write `adopt: true` if hfi is to take it over");
    Finding::error("APP23", field, reason).at(*entry).right(right)
}
