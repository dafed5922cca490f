//! Ports.

use std::collections::BTreeSet;

use super::resolution;
use crate::{
    rules::{
        protocol::Protocol,
        subject::{Out, Rule, Subject},
    },
    text::istio_label,
    values,
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("SE04", se04),
    Rule::new("SE05", se05),
    Rule::new("SE06", se06),
    Rule::new("SE07", se07),
    Rule::new("SE16", se16),
    Rule::new("X134", x134),
];

fn se04(subject: &Subject, out: &mut Out) {
    let mut seen = BTreeSet::new();
    for port in subject.each("ports") {
        let name = port.word("name");
        if !istio_label(name) || name.len() > 62 {
            out.error(
                &port.get("name"),
                format!("`{name}` is not the name of a port"),
                "write a label of DNS, such as `http-80`",
            );
        } else if !seen.insert(name) {
            out.error(&port.get("name"), format!("is `{name}` again"), "each port has a name of its own");
        }
    }
}

fn se05(subject: &Subject, out: &mut Out) {
    let mut seen = BTreeSet::new();
    for port in subject.each("ports") {
        if let Some(number) = port.integer_of("number").filter(|number| !seen.insert(*number)) {
            out.error(&port.get("number"), format!("is {number} again"), "write each port once");
        }
    }
}

fn se06(subject: &Subject, out: &mut Out) {
    for port in subject.each("ports") {
        let protocol = port.word("protocol");
        if let Err(error) = values::Protocol::try_from(protocol)
            && !protocol.is_empty()
        {
            out.error(&port.get("protocol"), error.to_string(), "write TCP for any other");
        }
    }
}

fn se07(subject: &Subject, out: &mut Out) {
    for port in subject.each("ports") {
        let at = port.get("targetPort");
        if let Some(number) = at.integer().filter(|number| !(0..=65535).contains(number)) {
            out.error(&at, format!("is {number}"), "a port is from 1 to 65535");
        }
    }
}

/// True if istiod allocates no address by itself.
fn without_allocation(subject: &Subject) -> bool {
    const LABEL: &str = "networking.istio.io/enable-autoallocate-ip";
    resolution(subject) == "NONE" || subject.resource.labels.get(LABEL).is_some_and(|value| value == "false")
}

/// The first port whose connections do not say their host, if there are no addresses.
fn blind(subject: &Subject, out: &mut Out, reason: &str) {
    if !subject.get("addresses").is_empty() {
        return;
    }
    let port = subject.each("ports").find(|port| Protocol::of(port.word("protocol")).is_blind());
    if let Some(port) = port {
        out.warning(&port, reason, "write `addresses`");
    }
}

fn se16(subject: &Subject, out: &mut Out) {
    if without_allocation(subject) {
        blind(subject, out, "is TCP without addresses, so it takes all traffic to this port");
    }
}

fn x134(subject: &Subject, out: &mut Out) {
    if !without_allocation(subject) {
        let reason =
            "is TCP without addresses; only proxies that capture DNS can tell its traffic from others'";
        blind(subject, out, reason);
    }
}
