//! Callers of pods behind a waypoint: ztunnel sees the waypoint in their place.

use super::{Rendered, frame::Frame};
use crate::{
    field::Field,
    finding::Finding,
    resource::{Kind, Resource},
    surroundings::{Named, ServesService},
    written::{Dataplane, Entry},
};

/// The fields of a source that name callers, and the keys of conditions that do.
const CALLERS: [&str; 8] = [
    "principals",
    "notPrincipals",
    "serviceAccounts",
    "notServiceAccounts",
    "namespaces",
    "notNamespaces",
    "ipBlocks",
    "notIpBlocks",
];
const KEYS: [&str; 3] = ["source.principal", "source.namespace", "source.ip"];

/// Reports policies that ztunnel reads and that name callers, if these come through a waypoint.
/// `admits_waypoint`: an object allows the waypoint alone, so that the policies at the waypoint decide.
pub(super) fn check(rendered: &[Rendered], admits_waypoint: bool, frame: &Frame<'_>) -> Vec<Finding> {
    let has_waypoint = match &frame.waypoint().serves {
        ServesService::Named(_) => true,
        ServesService::None => false,
        ServesService::Unknown => rendered.iter().any(|rendered| is_at_service(&rendered.resource)),
    };
    if frame.dataplane() != Dataplane::Ambient || !has_waypoint {
        return Vec::new();
    }
    let at_ztunnel = rendered.iter().filter(|rendered| {
        rendered.resource.kind == Kind::AuthorizationPolicy && targets(&rendered.resource).is_empty()
    });
    let at_ztunnel: Vec<_> = at_ztunnel.collect();
    let admits_waypoint =
        admits_waypoint || at_ztunnel.iter().any(|rendered| names_waypoint(&rendered.resource, frame));
    let found = at_ztunnel.into_iter().filter_map(|rendered| {
        let caller = caller(&rendered.resource)?;
        let entry = frame.application.entries.iter().find(|entry| entry.place == rendered.entry);
        let found = match rendered.resource.spec.get("action").and_then(|action| action.as_str()) {
            Some("DENY") => denied(&caller, entry),
            None | Some("ALLOW") if !admits_waypoint => allowed(&caller),
            _ => return None,
        };
        Some(rendered.located(found))
    });
    found.collect()
}

/// An error where the binding is the default. An author who writes it may mean callers that go past the waypoint.
fn denied(caller: &Field, entry: Option<&Entry>) -> Finding {
    let is_default = entry.is_some_and(|entry| entry.apply_to.is_none() && entry.attributes.is_some());
    let finding = if is_default { Finding::error } else { Finding::warning };
    let reason =
        "does not deny callers that come through the waypoint: ztunnel sees the waypoint in their place";
    finding("APP16", caller.path().to_owned(), reason.to_owned())
        .right("write `applyTo: service`; for callers that go past the waypoint, add an entry with `applyTo: workload`")
}

fn allowed(caller: &Field) -> Finding {
    let reason =
        "does not allow callers that come through the waypoint: ztunnel sees the waypoint in their place";
    Finding::warning("APP16", caller.path(), reason).right("write `applyTo: service`")
}

fn targets(resource: &Resource) -> Field<'_> {
    Field::root("spec", &resource.spec).get("targetRefs")
}

fn is_at_service(resource: &Resource) -> bool {
    targets(resource).items().any(|target| target.word("kind") == "Service")
}

fn rules(resource: &Resource) -> impl Iterator<Item = Field<'_>> {
    Field::root("spec", &resource.spec).get("rules").items()
}

fn sources(resource: &Resource) -> impl Iterator<Item = Field<'_>> {
    rules(resource).flat_map(|rule| rule.get("from").items()).map(|from| from.get("source"))
}

/// The first field that names callers in a policy.
fn caller(resource: &Resource) -> Option<Field<'_>> {
    let mut named = sources(resource).flat_map(|source| CALLERS.map(|name| source.get(name)));
    let conditions = rules(resource).flat_map(|rule| rule.get("when").items());
    let mut conditions = conditions.filter(|when| KEYS.contains(&when.word("key")));
    named.find(names_some).or_else(|| {
        let of_some = |when: &Field| ["values", "notValues"].iter().any(|list| names_some(&when.get(list)));
        conditions.find(of_some).map(|when| when.get("key"))
    })
}

/// True for a list that names some callers. A caller through the waypoint is still one of the mesh, so that `*` means
/// the same there.
fn names_some(list: &Field) -> bool {
    list.texts().any(|(name, _)| name != "*")
}

/// True if a policy names the waypoint itself, so that its author knows what ztunnel sees.
fn names_waypoint(resource: &Resource, frame: &Frame<'_>) -> bool {
    let ServesService::Named(Named { namespace, name }) = &frame.waypoint().serves else { return false };
    let account = format!("{namespace}/{name}");
    let principal = format!("/ns/{namespace}/sa/{name}");
    sources(resource).any(|source| {
        source.get("serviceAccounts").texts().any(|(name, _)| name == account)
            || source.get("principals").texts().any(|(name, _)| name.ends_with(&principal))
    })
}
