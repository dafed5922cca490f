//! The routes of a VirtualService, and where they lead.

use super::subject::Subject;
use crate::{field::Field, resource::Kind};

/// The HTTP routes; none of another kind.
pub(super) fn http<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    let routes = (subject.kind() == Kind::VirtualService).then(|| subject.each("http"));
    routes.into_iter().flatten()
}

/// All routes: HTTP, TLS and TCP.
pub(super) fn all<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    let lower =
        (subject.kind() == Kind::VirtualService).then(|| subject.each("tls").chain(subject.each("tcp")));
    http(subject).chain(lower.into_iter().flatten())
}

/// The destinations of all routes and mirrors.
pub(super) fn destinations<'a>(subject: &Subject<'a>) -> Vec<Field<'a>> {
    all(subject).flat_map(|route| destinations_of(&route)).collect()
}

/// The destinations of a route and of its mirrors.
pub(super) fn destinations_of<'a>(route: &Field<'a>) -> Vec<Field<'a>> {
    let targets = route.get("route").items().map(|target| target.get("destination"));
    let mirrors = route.get("mirrors").items().map(|mirror| mirror.get("destination"));
    targets.chain(route.get("mirror").set()).chain(mirrors).collect()
}

/// True for a VirtualService that routes requests alone.
pub(super) fn are_of_requests(subject: &Subject) -> bool {
    ["tls", "tcp"].iter().all(|name| subject.get(name).is_empty())
}

/// True for a VirtualService that routes calls in the mesh.
pub(super) fn are_in_mesh(subject: &Subject) -> bool {
    subject.kind() == Kind::VirtualService && holds_at(subject).0
}

/// True if the resource holds at sidecars, at gateways.
pub(crate) fn holds_at(subject: &Subject) -> (bool, bool) {
    let gateways = subject.get("gateways");
    let mesh = gateways.is_empty() || gateways.texts().any(|(name, _)| name == "mesh");
    (mesh, gateways.texts().any(|(name, _)| name != "mesh"))
}
