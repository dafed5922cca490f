//! Host names, wherever a kind has them.

use crate::{
    field::Field,
    resource::Kind,
    rules::{
        routes,
        subject::{Out, Rule, Subject},
    },
    text::{host_flaw, is_ip},
};

pub(super) const RULES: &[Rule] = &[Rule::new("HOST01", hosts), Rule::new("H29", h29)];

/// The ids beside its own that the rule reports.
pub(in crate::rules) const IDS: [&str; 3] = ["HOST02", "HOST03", "HOST04"];

fn hosts(subject: &Subject, out: &mut Out) {
    let spec = &subject.spec;
    match subject.kind() {
        Kind::DestinationRule => host(&spec.get("host"), spec.get("host").text(), out),
        Kind::VirtualService => {
            for (name, at) in spec.get("hosts").texts().filter(|(name, _)| !is_ip(name)) {
                host(&at, Some(name), out);
            }
            for destination in routes::destinations(subject) {
                let at = destination.get("host");
                // A wildcard is told by VS13.
                host(&at, at.text().filter(|name| !name.contains('*')), out);
            }
        }
        Kind::ServiceEntry => {
            for (name, at) in spec.get("hosts").texts() {
                host(&at, Some(name), out);
            }
        }
        Kind::Gateway => subject.each("servers").for_each(|server| with_namespaces(&server, out)),
        Kind::Sidecar => subject.each("egress").for_each(|listener| with_namespaces(&listener, out)),
        _ => {}
    }
}

/// Hosts of the form `host` or `namespace/host`.
fn with_namespaces(holder: &Field, out: &mut Out) {
    for (name, at) in holder.get("hosts").texts() {
        host(&at, Some(name.split_once('/').map_or(name, |(_, name)| name)), out);
    }
}

fn host(at: &Field, name: Option<&str>, out: &mut Out) {
    if let Some(flaw) = name.and_then(host_flaw) {
        out.of(flaw.rule).error(at, flaw.reason, flaw.right);
    }
}

/// Names in lower case that Istio takes in any.
fn h29(subject: &Subject, out: &mut Out) {
    let spec = &subject.spec;
    let mut names: Vec<_> =
        ["hosts", "gateways"].into_iter().flat_map(|list| spec.get(list).items()).collect();
    names.push(spec.get("host"));
    names.extend(subject.each("subsets").map(|subset| subset.get("name")));
    names.extend(
        ["servers", "egress"]
            .into_iter()
            .flat_map(|list| subject.each(list))
            .flat_map(|holder| holder.get("hosts").items()),
    );
    for destination in routes::destinations(subject) {
        names.extend(["host", "subset"].map(|name| destination.get(name)));
    }
    for name in names {
        if name.text().is_some_and(|text| text.bytes().any(|byte| byte.is_ascii_uppercase())) {
            out.warning(
                &name,
                "has upper case, which names in Kubernetes do not have",
                "write it in lower case",
            );
        }
    }
}
