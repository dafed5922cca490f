//! Applications within the limits of their Guardrails.
//!
//! Objects are judged as they are rendered, whatever wrote them: attributes, a `spec` that changes them, or a `spec`
//! that is passed through.

use std::collections::BTreeSet;

use policies::language::{AllowSpec, ClusterDomain};

use crate::{
    field::Field,
    finding::Finding,
    limits::{Limits, denies_all, is_namespace_wide},
    rendering::Rendered,
    resource::{Kind, Resource},
    written::Application,
};

/// The namespace of a document, if no document of its file may speak of it: neither give it an application nor take one
/// away.
pub(super) fn namespace(namespace: &str, limits: Option<&Limits>) -> Option<Finding> {
    is_outside(namespace, limits).then(|| {
        let reason = format!("`{namespace}` is not within the namespaces of the Guardrails");
        let finding = Finding::error("LIM02", "metadata.namespace", reason);
        finding.right("move the document below a Guardrail that allows the namespace")
    })
}

/// The same of objects by hand in a file, the first of so many.
pub(super) fn by_hand(namespace: &str, number: usize, limits: Option<&Limits>) -> Option<Finding> {
    is_outside(namespace, limits).then(|| {
        let (objects, them) = match number {
            1 => ("this object counts".to_owned(), "it"),
            _ => (format!("{number} objects of this file count"), "them"),
        };
        let reason = format!(
            "`{namespace}` is not within the namespaces of the Guardrails, so {objects} for no application"
        );
        let right = format!("move {them} below a Guardrail that allows the namespace");
        Finding::warning("LIM02", "metadata", reason).right(right)
    })
}

fn is_outside(namespace: &str, limits: Option<&Limits>) -> bool {
    limits.is_some_and(|limits| !limits.allows_namespace(namespace))
}

/// Every other limit that an application breaks; of each limit once in an entry.
pub(super) fn check(
    application: &Application,
    rendered: &[Rendered],
    limits: &Limits,
    domain: &ClusterDomain,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for own in application.entries.iter().flat_map(|entry| &entry.own_fields) {
        let reason = match (limits.allow_spec, own.guarded) {
            (AllowSpec::None, _) => "is Istio's own fields, which a Guardrail forbids".to_owned(),
            (AllowSpec::Safe, Some(name)) => format!("changes `{name}`, which a Guardrail forbids"),
            (AllowSpec::Safe, None) | (AllowSpec::All, _) => continue,
        };
        let finding = Finding::error("LIM04", own.field.clone(), reason).at(own.place);
        found.push(finding.right("write attributes, or ask for a Guardrail with another `istio.allowSpec`"));
    }
    let mut told = BTreeSet::new();
    for rendered in rendered {
        for finding in of_object(&rendered.resource, limits, domain) {
            if told.insert((rendered.entry, finding.rule)) {
                found.push(rendered.located(finding));
            }
        }
    }
    found
}

fn of_object(resource: &Resource, limits: &Limits, domain: &ClusterDomain) -> Vec<Finding> {
    let (kind, mut found) = (resource.kind, Vec::new());
    // A route of the Gateway API says what a VirtualService would say.
    let leave = if Kind::GATEWAY_API.contains(&kind) { Kind::VirtualService } else { kind };
    if !limits.kinds.contains(&leave) {
        let reason = format!("is of the kind {}, which the Guardrails do not allow", kind.name());
        let right = format!("ask for a Guardrail with `{}` under `istio.kinds`", leave.name());
        found.push(Finding::error("LIM01", "kind", reason).right(right));
    }
    if let Some(host) = claimed(resource, domain).into_iter().find(|host| !limits.allows_host(name(host))) {
        let reason =
            format!("`{}` is not within the hosts of the Guardrails", host.text().unwrap_or_default());
        found.push(Finding::error("LIM03", host.path(), reason).right("write a host that is"));
    }
    if takes_a_gateway(resource) {
        let reason = "is empty, and so the route takes every host of its Gateway";
        found.push(Finding::error("LIM03", "spec.hostnames", reason).right("write the public `hosts`"));
    }
    if is_namespace_wide(resource) && !limits.allows_namespace_wide {
        let reason = format!("is for all of {}, which the Guardrails do not allow", resource.namespace);
        let finding = Finding::error("LIM05", "spec", reason);
        found.push(finding.right("bind it to the workload, or ask for `istio.allowNamespaceWide: true`"));
    }
    if denies_all(resource) && !limits.allows_deny_all {
        let reason = "denies all calls, which the Guardrails do not allow";
        let finding = Finding::error("LIM06", "spec.rules", reason);
        found.push(finding.right("write who may call, or ask for `istio.allowDenyAll: true`"));
    }
    found
}

/// True for a route at a Gateway that names no host of its own.
fn takes_a_gateway(resource: &Resource) -> bool {
    let spec = Field::root("spec", &resource.spec);
    let is_gateway = |parent: Field<'_>| parent.get("kind").text().is_none_or(|kind| kind == "Gateway");
    Kind::GATEWAY_API.contains(&resource.kind)
        && spec.get("hostnames").items().next().is_none()
        && spec.get("parentRefs").items().any(is_gateway)
}

/// The hosts that an object claims for others: services of the mesh are not among them, but
/// for those of another namespace in a ServiceEntry.
fn claimed<'a>(resource: &'a Resource, domain: &ClusterDomain) -> Vec<Field<'a>> {
    let spec = Field::root("spec", &resource.spec);
    let of_own = || {
        let gateways: Vec<_> = spec.get("gateways").texts().map(|(name, _)| name).collect();
        let namespaces: Vec<_> = spec.get("exportTo").texts().map(|(name, _)| name).collect();
        gateways.iter().all(|name| *name == "mesh")
            && !namespaces.is_empty()
            && namespaces.iter().all(|name| [".", &resource.namespace].contains(name))
    };
    let hosts: Vec<_> = match resource.kind {
        Kind::Gateway => spec.get("servers").items().flat_map(|server| server.get("hosts").items()).collect(),
        Kind::VirtualService | Kind::ServiceEntry if !of_own() => spec.get("hosts").items().collect(),
        Kind::HttpRoute | Kind::GrpcRoute => spec.get("hostnames").items().collect(),
        _ => Vec::new(),
    };
    let is_of_mesh = |host: &Field| {
        let name = name(host);
        let owner = domain.service(name).map(|(_, namespace)| namespace);
        // A ServiceEntry would take the calls of another namespace's service.
        let is_taken = resource.kind == Kind::ServiceEntry && owner != Some(&resource.namespace);
        !name.contains(['.', '*']) || owner.is_some() && !is_taken
    };
    hosts.into_iter().filter(|host| host.text().is_some() && !is_of_mesh(host)).collect()
}

/// A host without the namespace that a Gateway may name before it.
fn name<'a>(host: &Field<'a>) -> &'a str {
    let text = host.text().unwrap_or_default();
    text.rsplit_once('/').map_or(text, |(_, name)| name)
}
