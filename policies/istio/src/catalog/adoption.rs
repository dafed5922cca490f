//! Objects that others have made: an application takes them over only where its document says so.
//!
//! Flux takes an object over silently and by force. Of two that apply one object, the one that lets go deletes it for
//! both.

use std::collections::{BTreeMap, BTreeSet};

use super::{Catalog, RenderedApplication, context::Context};
use crate::{
    finding::Finding,
    in_force::{Foreign, InForce},
    rendering::Rendered,
    resource::{ObjectId, Resource},
};

/// The id of what is said of objects that others may have made.
const TAKEN: &str = "APP23";

/// Each with the number of its application.
type OfApplications<T> = Vec<(usize, T)>;

/// The objects that applications do not have in force, and whose entries do not say `adopt: true`; and an error for each
/// that a file has by hand, or that others may have made in the cluster.
pub(super) fn check(
    catalog: &Catalog,
    context: &Context<'_>,
    in_force: &InForce,
) -> (OfApplications<ObjectId>, OfApplications<Finding>) {
    let mut by_hand = BTreeMap::new();
    for (path, raw) in context.by_hand() {
        by_hand.entry(raw.resource.order()).or_insert((path, raw.place.line));
    }
    let (mut ids, mut errors) = (Vec::new(), Vec::new());
    for (number, application) in catalog.applications.iter().enumerate() {
        for new in new(application, in_force) {
            let id = new.resource.id();
            let place = by_hand.get(&new.resource.order()).map(|(path, line)| format!("{path}:{line}"));
            let taken = place.map(|place| of_file(&new.resource, &place));
            let taken = taken.or_else(|| Some(of_cluster(&new.resource, in_force.foreign(&id)?)));
            let error =
                |(reason, right)| Finding::error(TAKEN, &new.field, reason).at(new.entry).right(right);
            errors.extend(taken.map(error).map(|error| (number, error)));
            ids.push((number, id));
        }
    }
    (ids, errors)
}

/// Those of these objects that it matters to know of: an application that is invalid for another reason gets none.
pub(super) fn of_interest(catalog: &Catalog, new: OfApplications<ObjectId>) -> BTreeSet<ObjectId> {
    let is_taken = |own: &RenderedApplication| {
        catalog.frozen.get(&own.id()).is_some_and(|first| first.finding.rule == TAKEN)
    };
    let matters: Vec<_> = catalog.applications.iter().map(|own| own.is_valid || is_taken(own)).collect();
    let new = new.into_iter().filter(|(number, _)| matters.get(*number).is_some_and(|matters| *matters));
    new.map(|(_, id)| id).collect()
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

/// The mistake and the remedy, where a file has the object by hand.
fn of_file(Resource { kind, name, .. }: &Resource, place: &str) -> (String, String) {
    (
        format!("renders to the {} `{name}`, which {place} has by hand", kind.name()),
        format!("take it out of {place}, or write `adopt: true` if hfi is to take it over"),
    )
}

/// The same where the cluster has it, or may have it.
fn of_cluster(Resource { kind, name, .. }: &Resource, foreign: &Foreign) -> (String, String) {
    let kind = kind.name();
    match foreign {
        Foreign::Made => (
            format!("renders to the {kind} `{name}`, which is in the cluster and not from hfi"),
            "write `adopt: true` if hfi is to take it over, or give the entry another `resourceName`"
                .to_owned(),
        ),
        Foreign::Unknown(reason) => (
            format!(
                "renders to the {kind} `{name}`, and hfi cannot see if others have made one of that name: {reason}"
            ),
            "hfi looks again".to_owned(),
        ),
    }
}
