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

/// Every limit that an application breaks; of each limit once in an entry.
pub(super) fn check(
    application: &Application,
    rendered: &[Rendered],
    limits: &Limits,
    domain: &ClusterDomain,
) -> Vec<Finding> {
    let mut found = Vec::new();
    if !limits.allows_namespace(application.namespace.as_str()) {
        let reason = format!("`{}` is not within the namespaces of the Guardrails", application.namespace);
        found.push(Finding::error("LIM02", "metadata.namespace", reason).at(application.place));
    }
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
    if !limits.kinds.contains(&kind) {
        let reason = format!("is a {}, which no Guardrail allows", kind.name());
        let right = format!("ask for a Guardrail with `{}` under `istio.kinds`", kind.name());
        found.push(Finding::error("LIM01", "kind", reason).right(right));
    }
    if let Some(host) = claimed(resource, domain).into_iter().find(|host| !limits.allows_host(name(host))) {
        let reason =
            format!("`{}` is not within the hosts of the Guardrails", host.text().unwrap_or_default());
        found.push(Finding::error("LIM03", host.path(), reason).right("write a host that is"));
    }
    if is_namespace_wide(resource) && !limits.allows_namespace_wide {
        let reason = format!("is for all of {}, which no Guardrail allows", resource.namespace);
        let finding = Finding::error("LIM05", "spec", reason);
        found.push(finding.right("bind it to the workload, or ask for `istio.allowNamespaceWide: true`"));
    }
    if denies_all(resource) && !limits.allows_deny_all {
        let finding = Finding::error("LIM06", "spec.rules", "denies all calls, which no Guardrail allows");
        found.push(finding.right("write who may call, or ask for `istio.allowDenyAll: true`"));
    }
    found
}

/// The hosts that an object claims for others: services of the mesh are not among them.
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
        !name.contains(['.', '*']) || domain.service(name).is_some()
    };
    hosts.into_iter().filter(|host| host.text().is_some() && !is_of_mesh(host)).collect()
}

/// A host without the namespace that a Gateway may name before it.
fn name<'a>(host: &Field<'a>) -> &'a str {
    let text = host.text().unwrap_or_default();
    text.rsplit_once('/').map_or(text, |(_, name)| name)
}
