//! Servers: ports, hosts, addresses.

use std::collections::BTreeSet;

use crate::{
    rules::subject::{Out, Rule, Subject},
    text::{is_ip, istio_label},
    values,
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("GW01", gw01),
    Rule::new("GW02", gw02),
    Rule::new("GW03", gw03),
    Rule::new("GW04", gw04),
    Rule::new("GW05", gw05),
    Rule::new("GW06", gw06),
    Rule::new("GW07", gw07),
    Rule::new("GW18", gw18),
    Rule::new("H18", h18),
];

fn gw01(subject: &Subject, out: &mut Out) {
    let name = &subject.resource.name;
    if name.contains('.') || name.len() > 63 {
        let right = "a Gateway has letters, digits and `-`, at most 63";
        out.error(
            &subject.place("metadata.name"),
            format!("`{name}` cannot be named by a VirtualService"),
            right,
        );
    }
}

fn gw02(subject: &Subject, out: &mut Out) {
    let servers = subject.get("servers");
    if servers.is_empty() {
        out.error(&servers, "is empty, so the Gateway does nothing", "write a server");
    }
    for server in servers.items().filter(|server| !server.is_set()) {
        out.error(&server, "is nothing", "write `port` and `hosts`, or remove the item");
    }
}

fn gw03(subject: &Subject, out: &mut Out) {
    let mut seen = BTreeSet::new();
    for server in subject.each("servers") {
        let at = server.get("port").get("name");
        match at.text() {
            None | Some("") => out.error(&at, "is missing", "write a name, such as `https-443`"),
            Some(name) if !seen.insert(name) => {
                out.error(&at, format!("is `{name}` again"), "each port has a name of its own");
            }
            Some(_) => {}
        }
    }
}

fn gw04(subject: &Subject, out: &mut Out) {
    for server in subject.each("servers") {
        let port = server.get("port");
        let protocol = port.word("protocol");
        if let Err(error) = values::Protocol::try_from(protocol) {
            out.error(&port.get("protocol"), error.to_string(), "");
        }
    }
}

fn gw05(subject: &Subject, out: &mut Out) {
    for server in subject.each("servers") {
        let at = server.get("port").get("targetPort");
        if at.integer().is_some_and(|port| port != 0) {
            out.error(&at, "has no effect at a Gateway", "leave it out");
        }
    }
}

fn gw06(subject: &Subject, out: &mut Out) {
    for server in subject.each("servers") {
        let hosts = server.get("hosts");
        if hosts.is_empty() {
            out.error(&hosts, "names no host", "write the public name, or `*`");
        }
        for (name, at) in hosts.texts() {
            let (namespace, host) = name.split_once('/').unwrap_or(("*", name));
            if !(matches!(namespace, "." | "*") || istio_label(namespace)) {
                out.error(
                    &at,
                    format!("`{namespace}` is not a namespace"),
                    "write `./host`, `*/host` or `namespace/host`",
                );
            }
            if !host.contains('.') && host != "*" && !host.is_empty() {
                out.error(
                    &at,
                    format!("`{host}` is a short name, which clients outside do not know"),
                    "write the full name",
                );
            }
        }
    }
}

fn gw07(subject: &Subject, out: &mut Out) {
    for (name, at) in subject.each("servers").flat_map(|server| server.get("hosts").texts()) {
        let host = name.split_once('/').map_or(name, |(_, host)| host);
        if host.len() > 1 && host.starts_with('*') && !host.starts_with("*.") {
            out.error(&at, format!("`{host}` has a wildcard for a part of a label"), "write `*.example.com`");
        }
    }
}

fn gw18(subject: &Subject, out: &mut Out) {
    for server in subject.each("servers") {
        let (bind, at) = (server.word("bind"), server.get("bind"));
        let port = server.get("port").get("number");
        if let Some(path) = bind.strip_prefix("unix://") {
            if !path.starts_with(['/', '@']) {
                out.error(
                    &at,
                    format!("`{bind}` is not the path of a socket"),
                    "write `unix:///run/gateway.sock`",
                );
            }
            if port.integer().is_some_and(|port| port != 0) {
                out.error(&port, "is set for a socket", "write 0");
            }
        } else {
            if !bind.is_empty() && !is_ip(bind) {
                out.error(
                    &at,
                    format!("`{bind}` is not an IP address"),
                    "write one, or `unix://` and a path",
                );
            }
            if port.integer() == Some(0) {
                out.error(&port, "is 0", "a port is from 1 to 65535");
            }
        }
    }
}

fn h18(subject: &Subject, out: &mut Out) {
    let selector = subject.get("selector");
    if selector.is_empty() {
        out.error(
            &selector,
            "is missing, so every gateway of the mesh opens these hosts",
            "write `istio: ingressgateway`, or the labels of yours",
        );
    }
}
