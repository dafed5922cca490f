//! `serviceEntry`: what the application calls outside the mesh.

use policies::reading::{Cursor, Fields, Value, word};

use super::{
    fields::{host, items, label, port},
    scope::Scope,
};
use crate::values::{Host, IpBlock, Label, Protocol};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEntry {
    pub hosts: Vec<Host>,
    pub ports: Vec<Port>,
    pub addresses: Vec<IpBlock>,
    pub endpoints: Vec<Endpoint>,
    /// True if what is called is in the mesh all the same.
    pub is_in_mesh: bool,
    /// True if the application speaks HTTP and its proxy TLS. There is one host then.
    pub originates_tls: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    pub number: u32,
    pub protocol: Protocol,
    /// Absent: made of both.
    pub name: Option<Label>,
    pub target: Option<u32>,
}

/// Where a host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Address(String),
    Host(Host),
}

pub(super) fn read(fields: &mut Fields<'_>, _: &Scope<'_>) -> Option<ServiceEntry> {
    let hosts = fields.require("hosts").and_then(|field| items(&field, |item| called_host(&item)));
    let tls = fields.read("tls", |field| word(Some(field.clone()), &[("originate", true)])).or(false);
    let originates = tls == Some(true);
    // An application that leaves TLS to its proxy calls port 80.
    let ports = fields.take("ports").map(|field| items(&field, |item| self::port_of(&item, originates)));
    let ports = match ports {
        None if originates => {
            Some(vec![Port { number: 80, protocol: Protocol::HTTP, name: None, target: Some(443) }])
        }
        None => {
            fields.require("ports");
            None
        }
        Some(ports) => ports,
    };
    let addresses = fields
        .read("addresses", |field| items(field, |item| item.accept(item.string()?.try_into())))
        .or(Vec::new());
    let endpoints = fields.read("endpoints", |field| items(field, |item| endpoint(&item))).or(Vec::new());
    let is_in_mesh = fields.read("inMesh", Cursor::boolean).or(false);
    let entry = ServiceEntry {
        hosts: hosts?,
        ports: ports?,
        addresses: addresses?,
        endpoints: endpoints?,
        is_in_mesh: is_in_mesh?,
        originates_tls: tls?,
    };
    check(&entry, fields.cursor());
    Some(entry)
}

/// What holds for several attributes together.
fn check(entry: &ServiceEntry, cursor: &Cursor<'_>) {
    let ServiceEntry { hosts, ports, addresses, endpoints, originates_tls, .. } = entry;
    if *originates_tls && (hosts.len() > 1 || hosts.iter().any(Host::is_wildcard)) {
        cursor.report("has `tls: originate` for more than one host; write an entry for each");
    }
    if let Some(port) = ports.iter().find(|port| *originates_tls && port.protocol != Protocol::HTTP) {
        let number = port.number;
        cursor.report(format_args!("has `tls: originate`, for which the application speaks HTTP also on port {number}; write `protocol: HTTP`"));
    }
    let is_silent = |port: &&Port| !port.protocol.names_host() && addresses.is_empty();
    if let Some(Port { number, protocol, .. }) = ports.iter().find(is_silent) {
        cursor.report(format_args!(
            "has no `addresses` for port {number}, whose {} names no host: it would take every call to that port; write them, or `protocol: TLS`",
            protocol.name()
        ));
    }
    let has_wildcard = hosts.iter().any(Host::is_wildcard);
    let is_named = endpoints.iter().any(|endpoint| matches!(endpoint, Endpoint::Host(_)));
    if addresses.iter().any(IpBlock::is_block) && is_named {
        cursor.report("has a block of `addresses` and `endpoints` with names, which Istio refuses; write the addresses of the endpoints");
    }
    if has_wildcard && is_named {
        cursor.report(
            "has a wildcard among `hosts` and `endpoints` with names; write the addresses of the endpoints",
        );
    }
    let mut numbers: Vec<_> = ports.iter().map(|port| port.number).collect();
    numbers.sort_unstable();
    let twice = numbers.windows(2).find(|pair| pair.first() == pair.last()).and_then(<[_]>::first);
    if let Some(number) = twice {
        cursor.report(format_args!("has the port {number} twice; keep one"));
    }
}

fn called_host(item: &Cursor<'_>) -> Option<Host> {
    let host = host(item)?;
    match host.as_str() {
        "*" => item.report("would be every host; name the hosts, or write `*.` before a domain"),
        text if !text.contains('.') => item.report(format_args!(
            "`{text}` has no dot, so it is a service of the namespace; write the full name of a host"
        )),
        text if text.starts_with('*') && !text.starts_with("*.") => {
            item.report(format_args!("`{text}` never matches; write `*.` before a domain"));
        }
        _ => return Some(host),
    }
    None
}

fn port_of(item: &Cursor<'_>, originates_tls: bool) -> Option<Port> {
    let default = |number| if originates_tls { Protocol::HTTP } else { Protocol::of_port(number) };
    let target = originates_tls.then_some(443);
    if let Value::Number(_) = item.value() {
        let number = port(item)?;
        return Some(Port { number, protocol: default(number), name: None, target });
    }
    let mut fields = item.clone().fields()?;
    let number = fields.require("number").and_then(|field| port(&field));
    let protocol = fields.read("protocol", |field| field.accept(field.string()?.try_into())).optional();
    let name = fields.read("name", label).optional();
    let target_port = fields.read("targetPort", port).optional();
    fields.finish();
    let number = number?;
    Some(Port {
        number,
        protocol: protocol?.unwrap_or_else(|| default(number)),
        name: name?,
        target: target_port?.or(target),
    })
}

fn endpoint(item: &Cursor<'_>) -> Option<Endpoint> {
    let text = item.string()?;
    match IpBlock::try_from(text) {
        Ok(address) if !address.is_block() => Some(Endpoint::Address(text.to_owned())),
        Ok(_) => {
            item.report(format_args!("`{text}` is a block of addresses; write one address"));
            None
        }
        Err(_) => {
            let host = host(item)?;
            if host.is_wildcard() {
                item.report("is a wildcard, which has no address; write the name of a host");
                return None;
            }
            Some(Endpoint::Host(host))
        }
    }
}
