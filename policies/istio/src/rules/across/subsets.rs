//! Subsets: where they are defined, and which Pods they select.

use std::collections::BTreeMap;

use super::{Rule, known::Known};
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

/// A caller has the DestinationRules of its own namespace, of the host's, and of the root namespace alone.
fn x101d(known: &Known, subject: &Subject, out: &mut Out) {
    let namespace = &subject.resource.namespace;
    let subsets = |before: &Subject| {
        let to = known.destinations(before).into_iter();
        to.map(|(host, to)| (host, to.word("subset").to_owned())).collect()
    };
    let (callers, mut rules) = (known.callers(subject), BTreeMap::new());
    for (host, destination) in known.destinations(subject) {
        let name = destination.word("subset");
        if name.is_empty() {
            continue;
        }
        let had = rules.entry(host.clone()).or_insert_with_key(|host| known.rules_of(host, &callers));
        if had.defines(name) {
            continue;
        }
        let owner = known.namespace_of(&host).filter(|owner| owner != namespace);
        let of = match (owner, callers.own()) {
            (_, None) => " that the namespaces of `exportTo` have".to_owned(),
            (Some(owner), Some(_)) => format!(" of {namespace} or {owner}"),
            (None, Some(_)) => String::new(),
        };
        let reason = format!("`{name}` is in no DestinationRule{of} for `{host}`, so requests get 503");
        let wanted = (host.clone(), name.to_owned());
        let is_in_force = !known.had_subset(&host, name, &callers)
            && known.before.refers(subject, &wanted, |own| &own.subsets, subsets);
        out.error_if_new(is_in_force, &destination.get("subset"), reason, "write the subset there");
    }
}

fn x140(known: &Known, subject: &Subject, out: &mut Out) {
    if subject.kind() != Kind::VirtualService || holds_at(subject) != (false, true) {
        return;
    }
    for (host, destination) in known.destinations(subject) {
        if destination.word("subset").is_empty() && known.is_split(&host) {
            let reason = format!("sends to all of `{host}`, while calls inside the mesh are split by subset");
            out.warning(&destination, reason, "write the same subsets");
        }
    }
}

fn x173(known: &Known, subject: &Subject, out: &mut Out) {
    let full = |rule: &Subject| known.full(rule.spec.word("host"), &rule.resource.namespace);
    let host = full(subject);
    let Some(service) = known.service(&host) else { return };
    let namespace = &service.named.namespace;
    let own: Vec<_> = service.selector.iter().map(|(key, value)| (&**key, &**value)).collect();
    // Without any Pod of the service the repository does not say what runs.
    if subject.kind() != Kind::DestinationRule || !known.pods.have_one(Some(namespace), &own) {
        return;
    }
    let selected = |labels: &[(&str, &str)]| {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        labels.iter().map(owned).collect::<Vec<_>>()
    };
    let labels_of = |before: &Subject| {
        let host = full(before);
        before.each("subsets").map(|subset| (host.clone(), selected(&labels(&subset)))).collect()
    };
    for subset in subject.each("subsets") {
        let wanted = labels(&subset);
        let all: Vec<_> = own.iter().copied().chain(wanted.iter().copied()).collect();
        if known.pods.have_none(Some(namespace), &all) {
            let reason =
                format!("select no Pod of `{host}`, so requests to `{}` get 503", subset.word("name"));
            let right = "write labels of the Pods";
            let wanted = (host.clone(), selected(&wanted));
            let is_in_force = known.before.refers(subject, &wanted, |own| &own.labels, labels_of);
            out.error_if_new(is_in_force, &subset.get("labels"), reason, right);
        }
    }
}

/// The labels of a subset.
fn labels<'a>(subset: &Field<'a>) -> Vec<(&'a str, &'a str)> {
    subset.get("labels").entries().filter_map(|(key, at)| Some((key, at.text()?))).collect()
}
