//! What a repository knows, found by name.

mod before;
mod claims;
mod entries;
mod fault;
mod meetings;
mod near_names;
mod outside;
mod pair;
mod parents;
mod ports;
mod protocols;
mod provided;
mod public;
mod readers;
mod references;
mod routed;
mod scope;
mod selected;
mod served;
mod speakers;
mod standing;
mod subsets;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use self::scope::is_for_own_namespace;
use self::{
    before::Before,
    claims::Claims,
    entries::{Entries, in_order},
    fault::Made,
    near_names::NearNames,
    outside::Outside,
    parents::Parents,
    protocols::Protocols,
    provided::Provided,
    public::PublicHosts,
    readers::Readers,
    routed::Routed,
    selected::Selected,
    served::Served,
    subsets::Subsets,
    workloads::Workloads,
};
pub(super) use self::{
    claims::{
        Claim, certificates, matched, owned, plain, policy, public_hosts, routes, servers, subsets,
        too_many_routes,
    },
    entries::Seen,
    near_names::callers,
    outside::{HostOwner, may_have_http, narrow_wildcards},
    parents::{produced, service},
    ports::Host,
    public::{At, Shared},
    readers::Reading,
    scope::scope,
    selected::{is_wide, labels},
    subsets::{Definition, defined_by},
};

use crate::{
    field::Field,
    in_force::InForce,
    resource::{Kind, Resource},
    rules::{pods::Pods, routes, subject::Subject},
    surroundings::{Named, Namespace, Service, Surroundings},
    text::full_name,
};

/// Resources and their surroundings, by kind and by host. Resources are in their order, not in that of the files.
#[derive(Debug)]
pub(super) struct Known<'a> {
    subjects: Vec<Subject<'a>>,
    by_namespace: BTreeMap<(Kind, &'a str), Vec<usize>>,
    /// With their ports in order.
    services: BTreeMap<String, (&'a Service, Vec<i64>)>,
    with_services: BTreeSet<&'a str>,
    namespaces: BTreeMap<&'a str, &'a Namespace>,
    by_name: BTreeMap<(Kind, &'a str, &'a str), usize>,
    pub(super) pods: Pods<'a>,
    entries: Entries<'a>,
    subsets: Subsets<'a>,
    outside: Outside<'a>,
    parents: Parents<'a>,
    public: PublicHosts<'a>,
    claims: Claims<'a>,
    routed: Routed<'a>,
    made_before: Made<'a>,
    near_names: NearNames,
    protocols: Protocols,
    provided: Provided<'a>,
    readers: Readers<'a>,
    selected: Selected<'a>,
    served: Served<'a>,
    workloads: Workloads<'a>,
    /// Gateways of the Gateway API, and Secrets, by namespace and name.
    pub(super) gateways: BTreeSet<(&'a str, &'a str)>,
    pub(super) secrets: BTreeSet<(&'a str, &'a str)>,
    pub(super) before: Before<'a>,
    pub(super) around: &'a Surroundings,
}

impl<'a> Known<'a> {
    pub(super) fn new(resources: &[&'a Resource], in_force: &'a InForce, around: &'a Surroundings) -> Self {
        let mut known = Self {
            by_namespace: BTreeMap::new(),
            by_name: BTreeMap::new(),
            services: BTreeMap::new(),
            with_services: around.services.iter().map(|service| &*service.named.namespace).collect(),
            namespaces: around.namespaces.iter().map(|found| (&*found.name, found)).collect(),
            pods: Pods::new(&around.pods),
            entries: Entries::default(),
            subsets: Subsets::default(),
            outside: Outside::default(),
            parents: Parents::default(),
            public: PublicHosts::default(),
            claims: Claims::default(),
            routed: Routed::default(),
            made_before: Made::default(),
            near_names: NearNames::default(),
            protocols: Protocols::default(),
            provided: Provided::default(),
            readers: Readers::default(),
            selected: Selected::default(),
            served: Served::default(),
            workloads: Workloads::default(),
            gateways: around.gateways.iter().map(named).collect(),
            secrets: around.secrets.iter().map(named).collect(),
            subjects: resources
                .iter()
                .enumerate()
                .map(|(rank, resource)| Subject { rank, ..Subject::new(resource) })
                .collect(),
            before: Before::new(in_force),
            around,
        };
        for service in &around.services {
            let host = known.full(&service.named.name, &service.named.namespace);
            let ports = in_order(service.numbers().map(i64::from).collect());
            known.services.insert(host, (service, ports));
        }
        for (number, subject) in known.subjects.iter().enumerate() {
            let resource = subject.resource;
            known.by_namespace.entry((resource.kind, &resource.namespace)).or_default().push(number);
            known.by_name.insert((resource.kind, &resource.namespace, &resource.name), number);
        }
        known.entries = Entries::new(&known, known.all(Kind::ServiceEntry));
        known.subsets = Subsets::new(&known);
        known.parents = Parents::new(&known);
        known.public = PublicHosts::new(&known);
        known.claims = Claims::new(&known);
        known.routed = Routed::new(&known);
        known.made_before = known.before.claims(&known);
        known.outside = Outside::new(&known);
        known.protocols = Protocols::new(&known);
        known.provided = Provided::new(&known);
        known.readers = Readers::new(&known, known.all(Kind::RequestAuthentication));
        known.selected = Selected::new(&known);
        known.served = Served::new(&known);
        known.workloads = Workloads::new(&known);
        known
    }

    pub(super) fn subject(&self, number: usize) -> Option<&Subject<'a>> {
        self.subjects.get(number)
    }

    /// The resource of this name.
    pub(super) fn named(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Subject<'a>> {
        self.subjects.get(*self.by_name.get(&(kind, namespace, name))?)
    }

    pub(super) fn subjects(&self) -> impl Iterator<Item = &Subject<'a>> {
        self.subjects.iter()
    }

    /// The resources of a kind.
    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = &Subject<'a>> {
        let from_here =
            self.by_namespace.range((kind, "")..).take_while(move |((other, _), _)| *other == kind);
        from_here.flat_map(|(_, numbers)| numbers).filter_map(|&number| self.subjects.get(number))
    }

    /// The resources of a kind in a namespace.
    pub(super) fn in_namespace<'k>(
        &'k self,
        kind: Kind,
        namespace: &'k str,
    ) -> impl Iterator<Item = &'k Subject<'a>> {
        let numbers = self.by_namespace.get(&(kind, namespace)).into_iter().flatten();
        numbers.filter_map(|&number| self.subjects.get(number))
    }

    /// The namespaces with resources of a kind, in order.
    pub(super) fn namespaces_with(&self, kind: Kind) -> impl Iterator<Item = &'a str> {
        let from_here = self.by_namespace.range((kind, "")..);
        from_here.map(|(key, _)| *key).take_while(move |(other, _)| *other == kind).map(|(_, name)| name)
    }

    pub(super) fn service(&self, host: &str) -> Option<&'a Service> {
        self.services.get(host).map(|(service, _)| *service)
    }

    /// True if the repository has this namespace.
    pub(super) fn is_namespace(&self, name: &str) -> bool {
        self.namespaces.contains_key(name)
    }

    /// A namespace of the repository.
    pub(super) fn namespace(&self, name: &str) -> Option<&'a Namespace> {
        self.namespaces.get(name).copied()
    }

    /// True if Services of this namespace are known.
    pub(super) fn has_services(&self, namespace: &str) -> bool {
        self.with_services.contains(namespace)
    }

    /// The destinations of a VirtualService, with their full hosts.
    pub(super) fn destinations<'s>(&self, subject: &Subject<'s>) -> Vec<(String, Field<'s>)> {
        self.with_hosts(routes::destinations(subject), subject)
    }

    /// Destinations of a VirtualService, with their full hosts.
    pub(super) fn with_hosts<'s>(
        &self,
        destinations: Vec<Field<'s>>,
        subject: &Subject,
    ) -> Vec<(String, Field<'s>)> {
        let named = destinations
            .into_iter()
            .filter_map(|destination| Some((destination.get("host").text()?, destination)));
        named.map(|(host, destination)| (self.full(host, &subject.resource.namespace), destination)).collect()
    }

    /// The full name of a host as a resource of this namespace means it.
    pub(super) fn full(&self, host: &str, namespace: &str) -> String {
        full_name(host, namespace, &self.around.cluster_domain, |name| self.services.contains_key(name))
    }

    /// The namespace of the Service that a full host is; none for other hosts.
    pub(super) fn namespace_of<'h>(&self, host: &'h str) -> Option<&'h str> {
        self.around.cluster_domain.service(host).map(|(_, namespace)| namespace)
    }
}

fn named(object: &Named) -> (&str, &str) {
    (&object.namespace, &object.name)
}
