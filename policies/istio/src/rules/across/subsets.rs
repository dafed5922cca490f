//! Subsets: where they are defined, and which Pods they select.

use super::{
    Rule,
    known::{Known, is_visible},
};
use crate::{
    field::Field,
    resource::Kind,
    rules::{
        routes::holds_at,
        subject::{Out, Subject},
    },
};

pub(super) const RULES: &[Rule] =
    &[Rule::new("X101d", x101d), Rule::new("X140", x140), Rule::new("X173", x173)];

/// The subset of this name in a DestinationRule that a namespace sees.
fn subset<'a>(known: &Known<'a>, host: &str, name: &str, namespace: &str) -> Option<Field<'a>> {
    let rules = known.of_host(Kind::DestinationRule, host).filter(|rule| is_visible(rule, namespace));
    rules.flat_map(|rule| rule.each("subsets")).find(|subset| subset.word("name") == name)
}

fn x101d(known: &Known, subject: &Subject, out: &mut Out) {
    for (host, destination) in known.destinations(subject) {
        let name = destination.word("subset");
        if !name.is_empty() && subset(known, &host, name, &subject.resource.namespace).is_none() {
            let reason = format!("`{name}` is in no DestinationRule for `{host}`, so requests get 503");
            out.error(&destination.get("subset"), reason, "write the subset there");
        }
    }
}

/// True if a VirtualService routes this host by subset.
fn splits(known: &Known, subject: &Subject, host: &str) -> bool {
    known
        .destinations(subject)
        .iter()
        .any(|(to, destination)| to == host && !destination.word("subset").is_empty())
}

fn x140(known: &Known, subject: &Subject, out: &mut Out) {
    if subject.kind() != Kind::VirtualService || holds_at(subject) != (false, true) {
        return;
    }
    for (host, destination) in known.destinations(subject) {
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
    let own: Vec<_> = service.selector.iter().map(|(key, value)| (&**key, &**value)).collect();
    let runs = |labels: &[(&str, &str)]| known.pods.with(Some(namespace), labels).next().is_some();
    // Without any Pod of the service the repository does not say what runs.
    if subject.kind() != Kind::DestinationRule || !runs(&own) {
        return;
    }
    for subset in subject.each("subsets") {
        let labels = subset.get("labels").entries().filter_map(|(key, at)| Some((key, at.text()?)));
        let labels: Vec<_> = own.iter().copied().chain(labels).collect();
        if !runs(&labels) {
            let reason =
                format!("select no Pod of `{host}`, so requests to `{}` get 503", subset.word("name"));
            out.error(&subset.get("labels"), reason, "write labels of the Pods");
        }
    }
}
