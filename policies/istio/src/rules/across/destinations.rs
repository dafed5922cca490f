//! Destinations of routes: hosts, ports, subsets.

use super::{
    Rule,
    known::{Known, is_visible},
};
use crate::{
    field::Field,
    resource::Kind,
    rules::{
        routes,
        subject::{Out, Subject},
    },
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("X101b", x101b),
    Rule::new("X101c", x101c),
    Rule::new("X101d", x101d),
    Rule::new("X112", x112),
    Rule::new("X140", x140),
    Rule::new("X173", x173),
    Rule::new("X174", x174),
    Rule::new("H27", h27),
];

/// What is known of a host.
enum Host {
    /// There is a Service or a ServiceEntry; its ports.
    There(Vec<i64>),
    Missing,
    /// The repository cannot tell.
    Unknown,
}

fn look_up(known: &Known, host: &str, namespace: &str) -> Host {
    if let Some(service) = known.service(host) {
        return Host::There(service.ports.iter().copied().map(i64::from).collect());
    }
    let entries = known.entries_for(host, namespace);
    if !entries.is_empty() {
        let ports = entries.iter().flat_map(|entry| entry.each("ports"));
        return Host::There(ports.filter_map(|port| port.integer_of("number")).collect());
    }
    let complete = match known.namespace_of(host) {
        Some(owner) => known.around.services.iter().any(|service| service.named.namespace == owner),
        None => known.in_namespace(Kind::ServiceEntry, namespace).next().is_some(),
    };
    if complete { Host::Missing } else { Host::Unknown }
}

/// The destinations of a VirtualService, with their full hosts.
fn destinations<'a>(known: &Known, subject: &Subject<'a>) -> Vec<(String, Field<'a>)> {
    let all = routes::destinations(subject).into_iter();
    let named = all.filter_map(|destination| Some((destination.get("host").text()?, destination)));
    named.map(|(host, destination)| (known.full(host, &subject.resource.namespace), destination)).collect()
}

fn x101b(known: &Known, subject: &Subject, out: &mut Out) {
    let namespace = &subject.resource.namespace;
    for (host, destination) in destinations(known, subject) {
        if matches!(look_up(known, &host, namespace), Host::Missing) {
            let reason = format!(
                "`{host}` is no Service and no ServiceEntry that {namespace} sees, so requests get 503"
            );
            out.error(&destination.get("host"), reason, "write the host of a service that is there");
        }
    }
}

fn x101c(known: &Known, subject: &Subject, out: &mut Out) {
    for (host, destination) in destinations(known, subject) {
        let at = destination.get("port").get("number");
        if let Host::There(ports) = look_up(known, &host, &subject.resource.namespace)
            && at.integer().is_some_and(|port| !ports.contains(&port))
        {
            let ports = ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            out.error(&at, format!("is not a port of `{host}`"), format!("its ports are {ports}"));
        }
    }
}

fn x112(known: &Known, subject: &Subject, out: &mut Out) {
    for (host, destination) in destinations(known, subject) {
        if let Host::There(ports) = look_up(known, &host, &subject.resource.namespace)
            && ports.len() > 1
            && !destination.has("port")
        {
            let ports = ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            out.error(
                &destination.get("port"),
                format!("is missing, and `{host}` has several"),
                format!("its ports are {ports}"),
            );
        }
    }
}

/// The subset of this name in a DestinationRule that a namespace sees.
fn subset<'a>(known: &Known<'a>, host: &str, name: &str, namespace: &str) -> Option<Field<'a>> {
    let rules = known.of_host(Kind::DestinationRule, host).filter(|rule| is_visible(rule, namespace));
    rules.flat_map(|rule| rule.each("subsets")).find(|subset| subset.word("name") == name)
}

fn x101d(known: &Known, subject: &Subject, out: &mut Out) {
    for (host, destination) in destinations(known, subject) {
        let name = destination.word("subset");
        if !name.is_empty() && subset(known, &host, name, &subject.resource.namespace).is_none() {
            let reason = format!("`{name}` is in no DestinationRule for `{host}`, so requests get 503");
            out.error(&destination.get("subset"), reason, "write the subset there");
        }
    }
}

/// True if the resource holds at sidecars, at gateways.
fn holds_at(subject: &Subject) -> (bool, bool) {
    let gateways = subject.get("gateways");
    let mesh = gateways.is_empty() || gateways.texts().any(|(name, _)| name == "mesh");
    (mesh, gateways.texts().any(|(name, _)| name != "mesh"))
}

/// True if a VirtualService routes this host by subset.
fn splits(known: &Known, subject: &Subject, host: &str) -> bool {
    destinations(known, subject)
        .iter()
        .any(|(to, destination)| to == host && !destination.word("subset").is_empty())
}

fn x140(known: &Known, subject: &Subject, out: &mut Out) {
    if subject.kind() != Kind::VirtualService || holds_at(subject) != (false, true) {
        return;
    }
    for (host, destination) in destinations(known, subject) {
        let mut others = known.of_host(Kind::VirtualService, &host).filter(|other| holds_at(other).0);
        if destination.word("subset").is_empty() && others.any(|other| splits(known, other, &host)) {
            let reason = format!("sends to all of `{host}`, while calls inside the mesh are split by subset");
            out.warning(&destination, reason, "write the same subsets");
        }
    }
}

fn x173(known: &Known, subject: &Subject, out: &mut Out) {
    let host = known.full(subject.spec.word("host"), &subject.resource.namespace);
    let Some(service) = known.service(&host) else { return };
    let namespace = &service.named.namespace;
    let pods = || known.around.pods.iter().filter(|pod| pod.namespace == *namespace);
    let own = || service.selector.iter().map(|(key, value)| (&**key, &**value));
    // Without any Pod of the service the repository does not say what runs.
    if subject.kind() != Kind::DestinationRule || !pods().any(|pod| pod.has(own())) {
        return;
    }
    for subset in subject.each("subsets") {
        let labels: Vec<_> =
            subset.get("labels").entries().filter_map(|(key, at)| Some((key, at.text()?))).collect();
        if !pods().any(|pod| pod.has(own().chain(labels.iter().copied()))) {
            let reason =
                format!("select no Pod of `{host}`, so requests to `{}` get 503", subset.word("name"));
            out.error(&subset.get("labels"), reason, "write labels of the Pods");
        }
    }
}

fn x174(known: &Known, subject: &Subject, out: &mut Out) {
    let (host, namespace) = (subject.get("host"), &subject.resource.namespace);
    let Some(name) =
        host.text().filter(|name| subject.kind() == Kind::DestinationRule && !name.contains('*'))
    else {
        return;
    };
    let full = known.full(name, namespace);
    if matches!(look_up(known, &full, namespace), Host::Missing) {
        out.warning(
            &host,
            format!("`{full}` is no Service and no ServiceEntry, so the rule has no effect"),
            "write a host that is there",
        );
    }
}

fn h27(known: &Known, subject: &Subject, out: &mut Out) {
    if subject.kind() != Kind::VirtualService || !holds_at(subject).0 {
        return;
    }
    let scope = subject.get("exportTo");
    let own = &*subject.resource.namespace;
    let only_own = !scope.is_empty() && scope.texts().all(|(name, _)| name == "." || name == own);
    for (name, at) in subject.get("hosts").texts().filter(|_| !only_own) {
        let full = known.full(name, own);
        if let Some(owner) = known.namespace_of(&full).filter(|owner| *owner != own) {
            let reason = format!("is a service of {owner}, whose traffic this takes for the whole mesh");
            out.error(&at, reason, "write `exportTo: [\".\"]`, so that it holds for calls from here");
        }
    }
}
