//! `gateway`: the public names of the application.

use policies::reading::{Cursor, Fields, Value};

use super::{
    fields::{host, items, label, port, selector},
    scope::Scope,
};
use crate::values::{Host, LabelPairs, ObjectName};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    pub hosts: Vec<Host>,
    pub tls: ServerTls,
    /// Absent: the port that the protocol is known for.
    pub port: Option<u32>,
    /// True if port 80 sends callers to HTTPS.
    pub redirects: bool,
    /// Absent: the gateway that Istio installs.
    pub selector: Option<LabelPairs>,
    /// The namespaces whose routes it takes; empty: the own one.
    pub routes_from: Vec<String>,
}

/// The way in which a gateway takes calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerTls {
    Plain,
    /// With the certificate of a Secret beside the gateway's pods.
    Secret {
        name: ObjectName,
        proves_client: bool,
        needs_1_3: bool,
    },
    /// TLS ends at the application.
    Passthrough,
}

pub(super) fn read(fields: &mut Fields<'_>, scope: &Scope<'_>) -> Option<Gateway> {
    let hosts = fields.require("hosts").and_then(|field| items(&field, |item| public_host(&item)));
    let needs_1_3 = fields.read("minTLS", min_tls).optional();
    let tls = fields.read("tls", tls).or(ServerTls::Plain);
    let port = fields.read("port", port).optional();
    let redirect = fields.read("redirect", Cursor::boolean).optional();
    let selector = fields.read("selector", selector).optional();
    let routes_from =
        fields.read("allowRoutesFrom", |field| items(field, |item| namespace(&item))).or(Vec::new());
    let (mut tls, needs_1_3, port, redirect) = (tls?, needs_1_3?, port?, redirect?);
    match (&mut tls, needs_1_3) {
        (ServerTls::Secret { needs_1_3, .. }, Some(needed)) => *needs_1_3 = needed,
        (ServerTls::Plain | ServerTls::Passthrough, Some(_)) => {
            fields.cursor().report("has `minTLS`, which is for the TLS that ends at the gateway; take it out, or write `tls: {secret: NAME}`");
        }
        (_, None) => {}
    }
    if tls == ServerTls::Plain {
        let reason = "has no `tls`: everybody on the way reads and changes what is sent";
        scope.notes.warn("APP07", fields.cursor(), reason);
    }
    let can_redirect = tls != ServerTls::Plain && port.is_none_or(|port| port == 443);
    if redirect == Some(true) && !can_redirect {
        fields.cursor().report(
            "has `redirect`, which leads to TLS on port 443; take it out, or take `port` out and write `tls`",
        );
    }
    Some(Gateway {
        hosts: hosts?,
        tls,
        port,
        redirects: redirect.unwrap_or(can_redirect),
        selector: selector?,
        routes_from: routes_from?,
    })
}

fn public_host(item: &Cursor<'_>) -> Option<Host> {
    let host = host(item)?;
    let text = host.as_str();
    if !host.is_full() {
        item.report(format_args!("`{text}` has no dot; write the full public name"));
        return None;
    }
    if text.starts_with('*') && text != "*" && !text.starts_with("*.") {
        item.report(format_args!("`{text}` is a wildcard for a part of a label; write `*.` before a domain"));
        return None;
    }
    Some(host)
}

/// True for 1.3.
fn min_tls(field: &Cursor<'_>) -> Option<bool> {
    match field.value() {
        Value::Number(text) | Value::String(text) if text == "1.2" => Some(false),
        Value::Number(text) | Value::String(text) if text == "1.3" => Some(true),
        _ => {
            field.report("must be 1.2 or 1.3");
            None
        }
    }
}

fn tls(field: &Cursor<'_>) -> Option<ServerTls> {
    match field.value() {
        Value::String(text) if text == "passthrough" => Some(ServerTls::Passthrough),
        Value::Map(_) => {
            let mut fields = field.clone().fields()?;
            let name = fields.require("secret").and_then(|field| field.accept(field.string()?.try_into()));
            let proves_client = fields.read("clientAuth", Cursor::boolean).or(false);
            fields.finish();
            Some(ServerTls::Secret { name: name?, proves_client: proves_client?, needs_1_3: false })
        }
        _ => {
            field.report("must be `{secret: NAME}` or `passthrough`");
            None
        }
    }
}

fn namespace(item: &Cursor<'_>) -> Option<String> {
    match item.string()? {
        text @ ("." | "*") => Some(text.to_owned()),
        _ => label(item).map(String::from),
    }
}
