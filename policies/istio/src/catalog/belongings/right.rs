//! The right of an application to a service or to pods.

use std::collections::{BTreeMap, BTreeSet};

use policies::language::ClusterDomain;

use super::thing::{Thing, things};
use crate::{
    catalog::{LocatedFinding, RenderedApplication},
    in_force::{ApplicationId, InForce},
    written::NAME_LABEL,
};

/// The right to a thing, from the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Right {
    None,
    /// The document says it, and has no object for what it says.
    Written,
    Used,
    Name,
    /// An object in force is for this very thing.
    InForce,
}

/// All that the objects in force are for, by application.
#[derive(Debug)]
pub(super) struct Before<'a>(BTreeMap<(&'a str, &'a str), BTreeSet<Thing<'a>>>);

impl<'a> Before<'a> {
    pub(super) fn new(in_force: &'a InForce, domain: &ClusterDomain) -> Self {
        let of_each = in_force.applications().map(|((namespace, name), objects)| {
            let things = objects.iter().flat_map(|object| things(object, domain));
            ((namespace.as_str(), name.as_str()), things.collect())
        });
        Self(of_each.collect())
    }

    fn of(&self, holder: &Holder<'a>) -> Option<&BTreeSet<Thing<'a>>> {
        self.0.get(&(holder.namespace, holder.name))
    }
}

/// An application that may have things.
#[derive(Debug)]
pub(super) struct Holder<'a> {
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) file: &'a str,
    pub(super) line: u32,
    said: [Thing<'a>; 2],
    /// True if an object is for what the document says.
    is_used: bool,
}

impl<'a> Holder<'a> {
    pub(super) fn of(rendered: &'a RenderedApplication, domain: &ClusterDomain) -> Self {
        let RenderedApplication { file, application, resources, .. } = rendered;
        let labels = application.workload.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let service = Thing::Service(application.service.to_string());
        let said = [service, Thing::Pods(labels.collect())];
        let mut used = resources.iter().flat_map(|rendered| things(&rendered.resource, domain));
        Self {
            namespace: application.namespace.as_str(),
            name: application.name.as_str(),
            file,
            line: application.place.line,
            is_used: used.any(|thing| said.iter().any(|said| thing.is_within(said))),
            said,
        }
    }

    /// An application whose document is refused as a whole.
    pub(super) fn of_refused((namespace, name): &'a ApplicationId, why: &'a LocatedFinding) -> Self {
        let line = why.finding.at.line;
        Self { namespace, name, file: &why.file, line, said: of_name(name), is_used: false }
    }

    /// All that it has. A document that is refused leaves in force what is.
    pub(super) fn belongings(&self, is_refused: bool, before: &Before<'a>) -> Vec<Thing<'a>> {
        let kept = before.of(self).filter(|_| is_refused).into_iter().flatten();
        self.said.iter().chain(kept).cloned().collect()
    }

    pub(super) fn has_in_force(&self, before: &Before<'a>) -> bool {
        before.of(self).is_some()
    }

    pub(super) fn right(&self, thing: &Thing<'_>, before: &Before<'a>) -> Right {
        let is_said = || self.said.iter().any(|said| thing.is_within(said));
        if before.of(self).is_some_and(|things| things.contains(thing)) {
            Right::InForce
        } else if self.is_named_after_it(thing) {
            Right::Name
        } else if !is_said() {
            Right::None
        } else if self.is_used {
            Right::Used
        } else {
            Right::Written
        }
    }

    pub(super) fn is_named_after_it(&self, thing: &Thing<'_>) -> bool {
        match thing {
            Thing::Service(name) => name == self.name,
            Thing::Services(_) => false,
            Thing::Pods(labels) => labels.get(NAME_LABEL) == Some(&self.name),
        }
    }
}

/// The service and the pods that have this name.
fn of_name(name: &str) -> [Thing<'_>; 2] {
    [Thing::Service(name.to_owned()), Thing::Pods(BTreeMap::from([(NAME_LABEL, name)]))]
}
