//! Sidecars.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    binding::{self, Reach},
    frame::Frame,
    json::object,
    part::Part,
};
use crate::{
    resource::Kind,
    written::{Attributes, Call, Entry, External, Sidecar},
};

pub(super) fn parts(sidecar: &Sidecar, entry: &Entry, frame: &Frame<'_>) -> Vec<Part> {
    let Sidecar { calls, external } = sidecar;
    let own = frame.application.namespace.as_str();
    let here = |namespace: &str| if namespace == own { ".".to_owned() } else { namespace.to_owned() };
    let written = calls.iter().map(|call| match call {
        Call::Namespace(namespace) => format!("{}/*", here(namespace.as_str())),
        Call::Service(service) => match frame.called(service) {
            (Some(namespace), host) => format!("{}/{host}", here(&namespace)),
            // A host of a ServiceEntry, which may be in any namespace.
            (None, host) => format!("*/{host}"),
        },
    });
    // What the application's own document says that it calls outside.
    let outside = frame.application.entries.iter().filter_map(|entry| match &entry.attributes {
        Some(Attributes::ServiceEntry(service)) => Some(&service.hosts),
        _ => None,
    });
    let outside: BTreeSet<_> = outside.flatten().map(|host| format!("./{host}")).collect();
    let is_known =
        |host: &String| !host.strip_prefix("*/").is_some_and(|host| outside.contains(&format!("./{host}")));
    let written = written.filter(is_known).collect::<BTreeSet<_>>();
    let hosts: BTreeSet<_> =
        written.into_iter().chain(outside.clone()).chain(frame.always_called()).collect();
    // A namespace in full says the same as its services.
    let is_covered = |host: &String| {
        let (namespace, name) = host.split_once('/').unwrap_or_default();
        name != "*" && hosts.contains(&format!("{namespace}/*"))
    };
    let egress: Value = hosts.iter().filter(|host| !is_covered(host)).map(|host| json!(host)).collect();
    let mode = external.map(|external| match external {
        External::Deny => "REGISTRY_ONLY",
        External::Allow => "ALLOW_ANY",
    });
    let spec = object([
        ("egress", Some(json!([{"hosts": egress}]))),
        ("outboundTrafficPolicy", mode.map(|mode| json!({"mode": mode}))),
    ]);
    vec![Part::new(Kind::Sidecar, spec).bound(binding::of(entry, Reach::Connections, frame))]
}
