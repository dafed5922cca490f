//! Hosts of somebody else, for callers of other namespaces.

use std::{collections::BTreeSet, rc::Rc};

use super::{
    Rule,
    duplicates::name,
    known::{Claim, HostOwner, Known, is_for_own_namespace, may_have_http, scope},
};
use crate::{
    field::Field,
    resource::Kind,
    rules::{
        routes::{are_in_mesh, are_of_requests, holds_at},
        subject::{Out, Subject},
    },
};

pub(super) const RULES: &[Rule] = &[Rule::new("H27", taking), Rule::new("H27", taken)];

/// True for routes that take calls from other namespaces in the mesh. What holds for the whole mesh is of the root
/// namespace.
pub(super) fn may_take(known: &Known, subject: &Subject) -> bool {
    let is_root = subject.resource.namespace == known.around.root_namespace;
    are_in_mesh(subject) && !is_root && !is_for_own_namespace(subject)
}

fn taking(known: &Known, subject: &Subject, out: &mut Out) {
    let is_root = subject.resource.namespace == known.around.root_namespace;
    let is_routed = are_in_mesh(subject);
    let is_named = subject.kind() == Kind::ServiceEntry && !is_root;
    if !(is_routed || is_named) || is_for_own_namespace(subject) {
        return;
    }
    let (own, namespaces) = (&*subject.resource.namespace, scope(subject, 1));
    let hosts = subject.get("hosts");
    let seen_by = scope(subject, hosts.len());
    for (host, at) in hosts.texts() {
        let (full, is_wildcard): (Rc<str>, _) = (known.full(host, own).into(), host.starts_with('*'));
        let reason = match known.foreign_owner(&full, own) {
            Some(HostOwner::Namespace(owner)) if is_wildcard => format!("fits the services of {owner}"),
            Some(HostOwner::Namespace(owner)) => format!("is a service of {owner}"),
            Some(HostOwner::AnyNamespace) if !is_root => "fits the services of other namespaces".to_owned(),
            Some(HostOwner::AnyNamespace) => continue,
            None => {
                // A service is found before the ServiceEntries whose wildcards fit it.
                if may_take(known, subject) && known.namespace_of(&full).is_none() {
                    of_entry(known, subject, &namespaces, (&full, &at), out);
                }
                continue;
            }
        };
        let reason = format!("{reason}, whose traffic this takes for the whole mesh");
        let right = "write `exportTo: [\".\"]`, so that it holds for calls from here";
        if is_named && is_wildcard {
            // The services themselves are found before it.
            out.warning(&at, reason, right);
        } else {
            // Of a short name nobody knew that it is a service, until a file has had one.
            let is_in_force = *full != *host && known.before.has_host(subject, host, &seen_by);
            out.error_if_new(is_in_force, &at, reason, right);
        }
    }
}

/// True if applications of the namespace have routes of a host in force for these namespaces.
pub(super) fn has_routes<'a>(
    known: &Known<'a>,
    subject: &Subject<'a>,
    host: &Rc<str>,
    namespaces: &BTreeSet<&'a str>,
) -> bool {
    let claim = |namespace| Claim::Route { host: Rc::clone(host), namespace };
    namespaces.iter().all(|namespace| known.has_in_namespace(&claim(*namespace), subject))
}

/// Whoever has the routes of a host in force keeps them, whatever ServiceEntries others write for it.
fn of_entry<'a>(
    known: &Known<'a>,
    subject: &Subject<'a>,
    namespaces: &BTreeSet<&'a str>,
    (host, at): (&Rc<str>, &Field),
    out: &mut Out,
) {
    let own = &*subject.resource.namespace;
    let entry = known.foreign_entry(host, own, are_of_requests(subject));
    let Some((entry, is_in_force)) = entry else { return };
    let is_by_hand = subject.resource.application().is_none();
    let is_its = if is_by_hand {
        known.has_own_entry(host, own)
    } else {
        has_routes(known, subject, host, namespaces)
    };
    if is_its {
        return;
    }
    let reason =
        format!("is also of the ServiceEntry {}, whose calls this takes in the whole mesh", name(entry));
    let right = if holds_at(subject).1 {
        "write `internal: false` (`gateways` without `mesh`), so that it holds for calls from outside alone"
    } else {
        "write `exportTo: [\".\"]`, so that it holds for calls from here"
    };
    if is_in_force && !is_by_hand {
        out.error(at, reason, right);
    } else {
        out.warning(at, reason, right);
    }
}

/// The calls of a ServiceEntry that routes of another namespace take.
fn taken(known: &Known, subject: &Subject, out: &mut Out) {
    if subject.kind() != Kind::ServiceEntry {
        return;
    }
    let has_http = may_have_http(subject);
    let takes = |route: &&Subject| {
        route.resource.namespace != known.around.root_namespace && (has_http || !are_of_requests(route))
    };
    for (host, at) in subject.get("hosts").texts() {
        let full: Rc<str> = known.full(host, &subject.resource.namespace).into();
        if known.namespace_of(&full).is_some() {
            continue;
        }
        if let Some(route) = known.foreign_route(&full, subject).filter(takes) {
            let reason = format!("is routed by {} too, which takes the calls in the mesh", name(route));
            let right = "to send them outside, write a VirtualService of your own with `exportTo: [\".\"]`";
            out.warning(&at, reason, right);
        }
    }
}
