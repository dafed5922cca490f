//! Claims to the calls of hosts in the mesh.

use std::{collections::BTreeSet, rc::Rc};

use super::{Claim, Claimed};
use crate::{
    field::Field,
    resource::Kind,
    rules::{
        across::known::{
            Known,
            parents::produced,
            public::{Public, public},
            scope::{ALL, COMBINATIONS, is_for_own_namespace, scope},
        },
        routes::are_in_mesh,
        subject::Subject,
    },
};

/// The hosts that a VirtualService routes in the mesh.
fn routed<'a>(known: &Known, subject: &Subject<'a>) -> Vec<(Rc<str>, Field<'a>)> {
    if !are_in_mesh(subject) {
        return Vec::new();
    }
    let full = |(host, at): (&str, _)| (known.full(host, &subject.resource.namespace).into(), at);
    subject.get("hosts").texts().map(full).collect()
}

/// The most combinations of hosts and namespaces of a VirtualService, if it has more.
pub(in crate::rules::across) fn too_many_routes(subject: &Subject) -> Option<usize> {
    let (hosts, names) = (subject.get("hosts").len(), subject.get("exportTo").len());
    let is_many = hosts.saturating_mul(names) > COMBINATIONS.max(hosts);
    (is_many && are_in_mesh(subject)).then_some(COMBINATIONS)
}

/// The routes of a VirtualService in the mesh, host by host. One of too many counts as exported to all.
pub(in crate::rules::across) fn routes<'a>(known: &Known, subject: &Subject<'a>) -> Claimed<'a> {
    let hosts = routed(known, subject);
    if hosts.is_empty() {
        return Vec::new();
    }
    let is_for_all = too_many_routes(subject).is_some();
    let names = if is_for_all { BTreeSet::from([ALL]) } else { scope(subject, 1) };
    let of_host = |(host, at): (Rc<str>, Field<'a>)| {
        let claimed = |namespace| (Claim::Route { host: Rc::clone(&host), namespace }, at.clone());
        names.iter().map(|namespace| claimed(*namespace)).collect::<Vec<_>>()
    };
    hosts.into_iter().flat_map(of_host).collect()
}

/// The hosts that a VirtualService routes for their owner: a consumer routes them for itself alone.
pub(in crate::rules::across) fn owned<'a>(known: &Known, subject: &Subject<'a>) -> Claimed<'a> {
    let own = &*subject.resource.namespace;
    let is_private = is_for_own_namespace(subject);
    let hosts = routed(known, subject).into_iter();
    let hosts = hosts.filter(|(host, _)| !is_private || known.namespace_of(host) == Some(own));
    hosts.map(|(host, at)| (Claim::Owned { host }, at)).collect()
}

/// The Services that a route of the Gateway API is for, as their owner.
pub(super) fn services<'a>(known: &Known, subject: &Subject<'a>) -> Claimed<'a> {
    let services = produced(known, subject).into_iter();
    services.map(|(host, at)| (Claim::Parent { host }, at)).collect()
}

/// The hosts of a ServiceEntry.
pub(in crate::rules::across::known) fn outside<'a>(known: &Known, subject: &Subject<'a>) -> Claimed<'a> {
    let of_entry = (subject.kind() == Kind::ServiceEntry).then(|| subject.get("hosts").texts());
    let full = |host| Rc::from(known.full(host, &subject.resource.namespace));
    let claimed = |(host, at)| (Claim::Outside { host: full(host) }, at);
    of_entry.into_iter().flatten().map(claimed).collect()
}

/// The claims of a namespace to public hosts.
pub(in crate::rules::across) fn public_hosts<'a>(known: &Known, subject: &Subject<'a>) -> Vec<Claim<'a>> {
    let of_host = |host: Public<'a>| {
        let claimed = |gateway| Claim::Public { at: host.at.clone(), gateway };
        host.names().into_iter().map(claimed).collect::<Vec<_>>()
    };
    public(known, subject).into_iter().flat_map(of_host).collect()
}
