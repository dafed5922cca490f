//! Selectors of workloads, and namespaces of callers.

use std::collections::BTreeSet;

use super::{
    Rule,
    known::{Known, callers},
};
use crate::{
    field::Field,
    resource::Kind,
    rules::{
        every_kind::selectors::selector,
        subject::{Out, Subject},
    },
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("X101e", x101e),
    Rule::new("X101f", x101f),
    Rule::new("X127", x127),
    Rule::new("X167", x167),
    Rule::new("H28", h28),
];

fn labels<'a>(labels: &Field<'a>) -> Vec<(&'a str, &'a str)> {
    labels.entries().filter_map(|(key, at)| Some((key, at.text()?))).collect()
}

/// True for names that differ by a number or a short ending, such as `team-a` and `team-b`: both are meant.
fn are_siblings(one: &str, other: &str) -> bool {
    let without_number = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let by_number = one.get(..without_number(one)) == other.get(..without_number(other));
    let by_ending = one.rsplit_once('-').zip(other.rsplit_once('-')).is_some_and(
        |((start, end), (other_start, other_end))| {
            start == other_start && end.len().max(other_end.len()) <= 2
        },
    );
    by_number || by_ending
}

/// Namespaces often are in another repository: only one that is nearly the name of one that is here is told.
fn x101e(known: &Known, subject: &Subject, out: &mut Out) {
    for (name, at) in callers(subject) {
        let near = known.near_namespace(subject, name);
        if let Some(near) = near.filter(|near| !are_siblings(name, near)) {
            let reason = format!("`{name}` is no namespace of the repository, which has `{near}`");
            out.warning(&at, reason, format!("write `{near}` if that is meant"));
        }
    }
}

/// True if Pods are known where the selector looks, and it selects none of them.
fn selects_nothing(known: &Known, subject: &Subject, namespace: Option<&str>) -> bool {
    let wanted = labels(&selector(subject).1);
    let pods = &known.pods;
    !wanted.is_empty() && pods.are_known(namespace) && pods.have_none(namespace, &wanted)
}

/// The namespace where a resource holds; all in the root namespace, none for a Gateway, which holds everywhere.
fn scope<'s>(known: &Known, subject: &'s Subject) -> Option<&'s str> {
    let own = &*subject.resource.namespace;
    (own != known.around.root_namespace).then_some(own)
}

fn x101f(known: &Known, subject: &Subject, out: &mut Out) {
    let selects_nothing = match subject.kind() {
        // The gateways often are in another repository: only a label of one that is here can be misspelt.
        Kind::Gateway => {
            let keys: Vec<_> = subject.get("selector").entries().map(|(key, _)| key).collect();
            keys.iter().any(|key| *key != "app")
                && known.pods.have_keys(&keys)
                && selects_nothing(known, subject, None)
        }
        Kind::Sidecar | Kind::Telemetry => selects_nothing(known, subject, scope(known, subject)),
        _ => false,
    };
    if selects_nothing {
        out.warning(&selector(subject).1, "selects no Pod of the repository", "write labels of the Pods");
    }
}

fn x127(known: &Known, subject: &Subject, out: &mut Out) {
    if subject.kind() == Kind::AuthorizationPolicy && selects_nothing(known, subject, scope(known, subject)) {
        out.warning(
            &selector(subject).1,
            "selects no Pod, so the policy is not in force",
            "write labels of the Pods",
        );
    }
}

fn x167(known: &Known, subject: &Subject, out: &mut Out) {
    const MODE: &str = "istio.io/dataplane-mode";
    let own = &subject.resource.namespace;
    let is_ambient =
        known.namespace(own).and_then(|found| found.labels.get(MODE)).is_some_and(|mode| mode == "ambient");
    if subject.kind() == Kind::Sidecar && is_ambient {
        out.warning(&subject.spec, format!("has no effect, since {own} is ambient"), "remove it");
    }
}

fn h28(known: &Known, subject: &Subject, out: &mut Out) {
    let Some(control_plane) =
        known.around.control_plane.as_deref().filter(|_| subject.kind() == Kind::Sidecar)
    else {
        return;
    };
    let host = known.full(control_plane, &subject.resource.namespace);
    let Some(owner) = known.namespace_of(&host).map(str::to_owned) else { return };
    let hosts: BTreeSet<_> = subject
        .each("egress")
        .flat_map(|listener| listener.get("hosts").texts())
        .map(|(entry, _)| entry)
        .collect();
    let shows = |entry: &&str| {
        let (namespace, name) = entry.split_once('/').unwrap_or(("", entry));
        let namespace = if namespace == "." { &*subject.resource.namespace } else { namespace };
        (namespace == "*" || namespace == owner)
            && (name == "*" || name == host || name.strip_prefix('*').is_some_and(|end| host.ends_with(end)))
    };
    if !hosts.is_empty() && !hosts.iter().any(shows) {
        let right = format!("write `{owner}/{host}` too");
        out.warning(&subject.get("egress"), "hides hfi's control plane, so no faults arrive", right);
    }
}
