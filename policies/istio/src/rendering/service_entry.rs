//! ServiceEntries.

use serde_json::{Value, json};

use super::{
    frame::Frame,
    json::{object, some},
    part::Part,
};
use crate::{
    opinions::service_entry as opinions,
    resource::Kind,
    values::{Host, IpBlock},
    written::{Endpoint, Entry, Port, ServiceEntry},
};

pub(super) fn parts(service: &ServiceEntry, _: &Entry, _: &Frame<'_>) -> Vec<Part> {
    let ServiceEntry { hosts, ports, addresses, endpoints, is_in_mesh, originates_tls } = service;
    let location = if *is_in_mesh { "MESH_INTERNAL" } else { "MESH_EXTERNAL" };
    let endpoint = |endpoint: &Endpoint| match endpoint {
        Endpoint::Address(address) => json!({"address": address}),
        Endpoint::Host(host) => json!({"address": host.as_str()}),
    };
    let spec = object([
        ("exportTo", Some(json!([opinions::EXPORT_TO]))),
        ("hosts", Some(hosts.iter().map(Host::as_str).collect())),
        ("location", Some(json!(location))),
        ("ports", Some(ports.iter().map(port).collect())),
        ("addresses", some(addresses.iter().map(IpBlock::as_str).collect::<Vec<_>>())),
        ("endpoints", some(endpoints.iter().map(endpoint).collect::<Vec<_>>())),
        ("resolution", Some(json!(resolution(service)))),
    ]);
    let entry = Part::new(Kind::ServiceEntry, spec);
    let tls = hosts.first().filter(|_| *originates_tls).map(|host| tls(host, ports));
    [entry].into_iter().chain(tls).collect()
}

fn port(port: &Port) -> Value {
    let Port { number, protocol, name, target } = port;
    let name = match name {
        Some(name) => name.to_string(),
        None => format!("{}-{number}", protocol.in_port_name()),
    };
    object([
        ("number", Some(json!(number))),
        ("protocol", Some(json!(protocol.name()))),
        ("name", Some(json!(name))),
        ("targetPort", target.map(|target| json!(target))),
    ])
}

/// How a proxy finds the addresses.
fn resolution(service: &ServiceEntry) -> &'static str {
    let ServiceEntry { hosts, addresses, endpoints, .. } = service;
    if endpoints.is_empty() {
        let is_open = hosts.iter().any(Host::is_wildcard) || addresses.iter().any(IpBlock::is_block);
        return if is_open { "NONE" } else { "DNS" };
    }
    let is_address = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Address(_));
    if endpoints.iter().all(is_address) { "STATIC" } else { "DNS" }
}

/// The rule by which the proxy speaks TLS for the application.
fn tls(host: &Host, ports: &[Port]) -> Part {
    let host = host.as_str();
    let tls = json!({
        "mode": "SIMPLE",
        "caCertificates": opinions::CA_CERTIFICATES,
        "sni": host,
        "subjectAltNames": [host],
    });
    let settings = ports.iter().map(|port| json!({"port": {"number": port.number}, "tls": tls}));
    let spec = json!({
        "exportTo": [opinions::EXPORT_TO],
        "host": host,
        "trafficPolicy": {"portLevelSettings": settings.collect::<Value>()},
    });
    Part::new(Kind::DestinationRule, spec).beside("tls")
}
