//! Gateways.

use serde_json::{Value, json};

use super::{frame::Frame, json::object, part::Part};
use crate::{
    opinions::gateway as opinions,
    resource::Kind,
    written::{Entry, Gateway, ServerTls},
};

pub(super) fn parts(gateway: &Gateway, _: &Entry, _: &Frame<'_>) -> Vec<Part> {
    let Gateway { tls, port, redirects, selector, .. } = gateway;
    let selector = match selector {
        Some(labels) => json!(labels),
        None => {
            let (key, value) = opinions::SELECTOR;
            json!({key: value})
        }
    };
    let hosts = hosts(gateway);
    let (protocol, known, tls) = match tls {
        ServerTls::Plain => ("HTTP", 80, None),
        ServerTls::Passthrough => ("TLS", 443, Some(json!({"mode": "PASSTHROUGH"}))),
        ServerTls::Secret { name, proves_client, needs_1_3 } => {
            let mode = if *proves_client { "MUTUAL" } else { "SIMPLE" };
            let oldest = if *needs_1_3 { "TLSV1_3" } else { opinions::MIN_TLS };
            let tls = json!({"credentialName": name.as_str(), "minProtocolVersion": oldest, "mode": mode});
            ("HTTPS", 443, Some(tls))
        }
    };
    let first = server(protocol, port.unwrap_or(known), &hosts, tls);
    let second = redirects.then(|| server("HTTP", 80, &hosts, Some(json!({"httpsRedirect": true}))));
    let servers: Value = [first].into_iter().chain(second).collect();
    vec![Part::new(Kind::Gateway, json!({"selector": selector, "servers": servers}))]
}

/// The hosts, each for the namespaces whose routes it takes.
fn hosts(gateway: &Gateway) -> Value {
    let own = [opinions::ROUTES_FROM.to_owned()];
    let from = if gateway.routes_from.is_empty() { own.as_slice() } else { gateway.routes_from.as_slice() };
    let hosts = gateway.hosts.iter();
    hosts.flat_map(|host| from.iter().map(move |namespace| format!("{namespace}/{host}"))).collect()
}

fn server(protocol: &str, number: u32, hosts: &Value, tls: Option<Value>) -> Value {
    let name = format!("{}-{number}", protocol.to_ascii_lowercase());
    object([
        ("hosts", Some(hosts.clone())),
        ("port", Some(json!({"name": name, "number": number, "protocol": protocol}))),
        ("tls", tls),
    ])
}
