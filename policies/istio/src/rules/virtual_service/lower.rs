//! Routes of TLS and TCP.

use crate::{
    rules::subject::{Out, Rule, Subject},
    text::{is_ip, is_ip_or_block},
};

pub(super) const RULES: &[Rule] =
    &[Rule::new("VS35", vs35), Rule::new("VS36", vs36), Rule::new("VS37", vs37)];

/// True if the host is one of these, or below one with a wildcard.
fn is_served(host: &str, hosts: &[&str]) -> bool {
    hosts.iter().any(|known| match known.strip_prefix('*') {
        Some(end) => host.ends_with(end),
        None => host == *known,
    })
}

fn vs35(subject: &Subject, out: &mut Out) {
    let hosts: Vec<_> = subject.get("hosts").texts().map(|(name, _)| name).collect();
    for route in subject.each("tls") {
        if route.get("match").is_empty() {
            out.error(&route.get("match"), "is missing", "write `- sniHosts: […]`");
        }
        if route.get("route").is_empty() {
            out.error(&route.get("route"), "is missing", "write a destination");
        }
        for wanted in route.get("match").items() {
            if wanted.get("sniHosts").is_empty() {
                out.error(&wanted.get("sniHosts"), "is missing", "name the hosts that clients ask for");
            }
            for (host, at) in wanted.get("sniHosts").texts().filter(|(host, _)| !is_served(host, &hosts)) {
                out.error(&at, format!("`{host}` is not among `spec.hosts`"), "write it there too");
            }
        }
    }
}

fn vs36(subject: &Subject, out: &mut Out) {
    for wanted in subject.each("tls").flat_map(|route| route.get("match").items()) {
        for (host, at) in wanted.get("sniHosts").texts().filter(|(host, _)| is_ip(host)) {
            out.warning(
                &at,
                format!("`{host}` is an IP address, which clients do not send"),
                "write a name of DNS",
            );
        }
    }
}

fn vs37(subject: &Subject, out: &mut Out) {
    for route in subject.each("tcp").filter(|route| route.get("route").is_empty()) {
        out.error(&route.get("route"), "is missing", "write a destination");
    }
    let routes = subject.each("tcp").chain(subject.each("tls"));
    for wanted in routes.flat_map(|route| route.get("match").items()) {
        let source = wanted.get("sourceSubnet");
        let subnets = wanted.get("destinationSubnets").texts();
        for (subnet, at) in
            subnets.chain(source.text().filter(|text| !text.is_empty()).map(|text| (text, source)))
        {
            if !is_ip_or_block(subnet) {
                out.error(&at, format!("`{subnet}` is no IP address and no block"), "write `10.0.0.0/8`");
            }
        }
    }
}
