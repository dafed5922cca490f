//! What applications have in force, found by application.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    references::{Once, References},
    scope::{ALL, scope},
};
use crate::{
    in_force::InForce,
    resource::Kind,
    rules::{routes::holds_at, subject::Subject},
};

/// What applications have in force.
#[derive(Debug, Default)]
pub(in crate::rules::across) struct Before<'a> {
    /// Each with its namespace and its application.
    pub(super) all: Vec<((&'a str, &'a str), Subject<'a>)>,
    by_application: BTreeMap<(&'a str, &'a str, Kind), OfKind>,
}

/// What an application has in force of a kind: the numbers, and what these refer to.
type OfKind = (Vec<usize>, References);

impl<'a> Before<'a> {
    pub(in crate::rules::across) fn new(in_force: &'a InForce) -> Self {
        let mut before = Self::default();
        for ((namespace, name), resources) in in_force.applications() {
            let (namespace, name) = (namespace.as_str(), name.as_str());
            for resource in resources {
                let numbers = before.by_application.entry((namespace, name, resource.kind)).or_default();
                numbers.0.push(before.all.len());
                before.all.push(((namespace, name), Subject::new(resource)));
            }
        }
        before
    }

    /// All that is in force.
    pub(super) fn all(&self) -> impl Iterator<Item = &Subject<'a>> {
        self.all.iter().map(|(_, subject)| subject)
    }

    /// What the application of a resource has in force of its kind.
    pub(in crate::rules::across) fn of<'k>(
        &'k self,
        subject: &'k Subject,
    ) -> impl Iterator<Item = &'k Subject<'a>> {
        let numbers = self.of_kind(subject).into_iter().flat_map(|(numbers, _)| numbers);
        numbers.filter_map(|number| Some(&self.all.get(*number)?.1))
    }

    fn of_kind<'k>(&'k self, subject: &'k Subject) -> Option<&'k OfKind> {
        let (namespace, name) = subject.resource.application()?;
        self.by_application.get(&(namespace, name, subject.kind()))
    }

    /// True if the application of a resource refers to something in force, by what `of` finds in each resource of its kind.
    pub(in crate::rules::across) fn refers<T: Borrow<Q> + Ord, Q: Ord + ?Sized>(
        &self,
        subject: &Subject,
        to: &Q,
        kept: fn(&References) -> &Once<T>,
        of: impl Fn(&Subject<'a>) -> Vec<T>,
    ) -> bool {
        self.of_kind(subject).is_some_and(|(_, references)| {
            kept(references).get_or_init(|| self.of(subject).flat_map(of).collect()).contains(to)
        })
    }

    /// True if the application of a resource has one of its `hosts`, as it is written, in force for all of these namespaces,
    /// and in the mesh if the resource is there.
    pub(in crate::rules::across) fn has_host(
        &self,
        subject: &Subject,
        host: &str,
        namespaces: &BTreeSet<&str>,
    ) -> bool {
        // Each is in force for nobody, too.
        const NOBODY: &str = "~";
        let is_in_mesh = |subject: &Subject| subject.kind() != Kind::VirtualService || holds_at(subject).0;
        let of = |before: &Subject| {
            let (hosts, places) = (before.get("hosts"), [is_in_mesh(before), false]);
            let by: Vec<_> = scope(before, hosts.len()).into_iter().chain([NOBODY]).collect();
            let seen = |(host, _): (&str, _)| {
                let at = |place| by.iter().map(move |by| (host.to_owned(), (*by).to_owned(), place));
                places.into_iter().flat_map(at).collect()
            };
            hosts.texts().flat_map::<Vec<_>, _>(seen).collect()
        };
        let place = is_in_mesh(subject);
        let is_seen_by = |by: &str| {
            self.refers(subject, &(host.to_owned(), by.to_owned(), place), |own| &own.own_hosts, of)
        };
        let mut namespaces = namespaces.iter().chain([&NOBODY]);
        namespaces.all(|by| is_seen_by(by) || is_seen_by(ALL))
    }
}
