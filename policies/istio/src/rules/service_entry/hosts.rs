//! Hosts and addresses.

use super::resolution;
use crate::{
    rules::{
        protocol::Protocol,
        subject::{Out, Rule, Subject},
    },
    values::IpBlock,
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("SE01", se01),
    Rule::new("SE02", se02),
    Rule::new("SE08", se08),
    Rule::new("SE11", se11),
    Rule::new("SE15", se15),
    Rule::new("SE18", se18),
];

fn se01(subject: &Subject, out: &mut Out) {
    let hosts = subject.get("hosts");
    if hosts.is_empty() {
        out.error(&hosts, "names no host", "write the name that the application calls");
    }
    for (_, at) in hosts.texts().filter(|(host, _)| *host == "*") {
        out.error(&at, "is `*`, which is every host", "name the hosts");
    }
}

fn se02(subject: &Subject, out: &mut Out) {
    for (host, at) in subject.get("hosts").texts() {
        if host.len() > 1
            && host.starts_with('*')
            && !host.starts_with("*.")
            && resolution(subject) != "DYNAMIC_DNS"
        {
            out.warning(
                &at,
                format!("`{host}` never fits a host"),
                "a wildcard is a whole label: `*.example.com`",
            );
        }
    }
}

fn se08(subject: &Subject, out: &mut Out) {
    let blocks = matches!(resolution(subject), "NONE" | "STATIC");
    for (address, at) in subject.get("addresses").texts() {
        match IpBlock::try_from(address) {
            Err(error) => out.error(&at, error.to_string(), ""),
            Ok(address) if address.is_block() && !blocks => {
                let reason = format!("is a block, which {} cannot have", resolution(subject));
                out.error(&at, reason, "write single addresses, or resolution NONE or STATIC");
            }
            Ok(_) => {}
        }
    }
}

fn se11(subject: &Subject, out: &mut Out) {
    let dns = matches!(resolution(subject), "DNS" | "DNS_ROUND_ROBIN");
    if !dns || !subject.get("endpoints").is_empty() || subject.spec.has("workloadSelector") {
        return;
    }
    for (host, at) in subject.get("hosts").texts().filter(|(host, _)| host.contains('*')) {
        let reason = format!("`{host}` has a wildcard, which DNS cannot resolve");
        out.error(&at, reason, "write full names, or resolution NONE, or endpoints");
    }
}

fn se15(subject: &Subject, out: &mut Out) {
    let hosts = subject.get("hosts");
    let blind = subject.each("ports").find(|port| Protocol::of(port.word("protocol")).is_blind());
    if let Some(port) = blind
        && hosts.len() > 1
        && resolution(subject) != "NONE"
    {
        let reason = "has no host in it, and the entry has several hosts";
        out.error(&port.get("protocol"), reason, "write HTTP or TLS, or an entry for each host");
    }
}

fn se18(subject: &Subject, out: &mut Out) {
    const SUPPORTED: [&str; 5] = ["HTTP", "HTTP2", "HTTPS", "TLS", "GRPC"];
    if resolution(subject) != "DYNAMIC_DNS" {
        return;
    }
    for (host, at) in subject.get("hosts").texts().filter(|(host, _)| !host.starts_with("*.")) {
        out.error(
            &at,
            format!("`{host}` has no wildcard"),
            "resolution DYNAMIC_DNS takes wildcards only, others DNS",
        );
    }
    for name in ["addresses", "endpoints"] {
        if !subject.get(name).is_empty() {
            out.error(&subject.get(name), "stands beside resolution DYNAMIC_DNS", "leave it out");
        }
    }
    for port in subject.each("ports") {
        let protocol = Protocol::of(port.word("protocol"));
        if !SUPPORTED.iter().any(|name| protocol.is(name)) {
            out.error(
                &port.get("protocol"),
                "does not say the host of a connection",
                "write HTTP, HTTP2, GRPC or TLS",
            );
        }
    }
}
