//! The hosts of a VirtualService, and the service that its requests go to.

use super::frame::Frame;
use crate::{
    finding::FORM,
    written::{Dataplane, Entry, VirtualService},
};

/// The hosts of an entry.
///
/// An entry is for the own service and its public hosts, or, as a consumer has it, for one service of somebody else:
/// requests for that one go there, and never to the own service.
#[derive(Debug)]
pub(super) struct Hosts {
    pub(super) all: Vec<String>,
    /// Where requests go that no route sends elsewhere. Its subsets are those of `split`.
    pub(super) target: String,
}

pub(super) fn of(service: &VirtualService, entry: &Entry, frame: &Frame<'_>) -> Hosts {
    let own = frame.own_host();
    let written: Vec<_> = service.hosts.iter().map(|host| frame.full(host)).collect();
    if let Some(other) = written.iter().find(|host| **host != own && frame.is_known_service(host)) {
        if other.starts_with('*') {
            let reason = format!("has `{other}`, which is no single service");
            frame.report(entry.error(FORM, "hosts", reason).right("name one service"));
            return Hosts { target: own, all: written };
        }
        check_consumer(other, &written, service, entry, frame);
        return Hosts { target: other.clone(), all: written };
    }
    let public = written.iter().find(|host| **host != own);
    if let Some(host) = public.filter(|_| service.gateways.is_empty()) {
        let reason = format!("has the public host `{host}`, and the entry has no `gateways`");
        let finding = entry.error(FORM, "hosts", reason);
        frame.report(
            finding.right("name the Gateway where it is called, or write the full name of a service"),
        );
    }
    let is_added = service.is_internal && !written.contains(&own);
    Hosts { all: is_added.then(|| own.clone()).into_iter().chain(written).collect(), target: own }
}

/// Refuses what a consumer cannot have.
fn check_consumer(
    other: &str,
    written: &[String],
    service: &VirtualService,
    entry: &Entry,
    frame: &Frame<'_>,
) {
    let refuse = |rule, attribute: &str, reason: String, right: &str| {
        frame.report(entry.error(rule, attribute, reason).right(right));
    };
    if let Some(beside) = written.iter().find(|host| *host != other) {
        let reason = format!("has `{beside}` beside the service `{other}`, which would get its requests");
        refuse(FORM, "hosts", reason, "write an entry for each service");
    }
    if !service.gateways.is_empty() {
        let reason = format!("would open `{other}`, which is not the own service, to callers at Gateways");
        refuse(FORM, "gateways", reason, "take it out; the application of that service names its Gateways");
    }
    if frame.dataplane() == Dataplane::Ambient && !frame.has_service_entry(other) {
        let reason = format!("routes `{other}`, which only the waypoint of its owner does, for all callers");
        refuse("APP06", "hosts", reason, "ask its owner for the route");
    } else if !frame.is_for_own_namespace(entry) {
        let reason = format!("routes `{other}` for all its callers, which its owner does");
        refuse(FORM, "hosts", reason, "write `namespaces: [\".\"]` to route the calls of the own namespace");
    }
}
