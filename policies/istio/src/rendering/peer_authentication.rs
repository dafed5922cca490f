//! PeerAuthentications.

use serde_json::{Map, Value, json};

use super::{
    binding::{self, Reach},
    frame::Frame,
    json::{object, some},
    part::Part,
};
use crate::{
    opinions::peer_authentication as opinions,
    resource::Kind,
    written::{ApplyTo, Entry, Mtls, PeerAuthentication},
};

pub(super) fn parts(peers: &PeerAuthentication, entry: &Entry, frame: &Frame<'_>) -> Vec<Part> {
    let PeerAuthentication { mtls, ports } = peers;
    let mtls = mtls.unwrap_or(opinions::MTLS);
    let binding = binding::of(entry, Reach::Connections, frame);
    if binding == ApplyTo::Namespace && !ports.is_empty() {
        let reason = "are ports of a pod, and the entry is for all pods of the namespace";
        let finding = entry.error("PA01", "ports", reason);
        frame.report(finding.right("take them out, or write an entry for the workload"));
    }
    let ports: Map<_, _> = ports.iter().map(|(port, mode)| (port.to_string(), self::mode(*mode))).collect();
    let spec = object([("mtls", Some(mode(mtls))), ("portLevelMtls", some(ports))]);
    vec![Part::new(Kind::PeerAuthentication, spec).bound(binding)]
}

fn mode(mtls: Mtls) -> Value {
    let mode = match mtls {
        Mtls::Strict => "STRICT",
        Mtls::Permissive => "PERMISSIVE",
        Mtls::Disable => "DISABLE",
    };
    json!({"mode": mode})
}
