//! Subsets, policies that are empty, tunnels, and the scope of a selector.

use std::collections::BTreeSet;

use super::{policies, port_settings};
use crate::{
    rules::subject::{Out, Rule, Subject},
    text::{host_flaw, is_full_name, is_ip, istio_label},
    values::{key_error, value_error},
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("DR01", dr01),
    Rule::new("DR02", dr02),
    Rule::new("DR03", dr03),
    Rule::new("DR04", dr04),
    Rule::new("DR24", dr24),
    Rule::new("DR25", dr25),
    Rule::new("DR26", dr26),
];

fn dr01(subject: &Subject, out: &mut Out) {
    for subset in subject.each("subsets") {
        let name = subset.word("name");
        if !subset.is_set() {
            out.error(&subset, "is nothing", "write `name` and `labels`, or remove the item");
        } else if !istio_label(name) {
            let right = "a name has letters, digits and `-`, at most 63, as in `v1`";
            out.error(&subset.get("name"), format!("`{name}` is not a label of DNS"), right);
        }
    }
}

fn dr02(subject: &Subject, out: &mut Out) {
    let mut seen = BTreeSet::new();
    for subset in subject.each("subsets") {
        let name = subset.word("name");
        if !name.is_empty() && !seen.insert(name) {
            out.error(
                &subset.get("name"),
                format!("is `{name}` again"),
                "a second subset of a name is out of reach",
            );
        }
    }
}

fn dr03(subject: &Subject, out: &mut Out) {
    for subset in subject.each("subsets") {
        for (key, at) in subset.get("labels").entries() {
            if let Some(error) = key_error(key).or_else(|| value_error(at.text()?)) {
                out.error(&at, error, "");
            }
        }
    }
}

fn dr04(subject: &Subject, out: &mut Out) {
    for policy in policies(subject) {
        if policy.is_empty() {
            out.error(&policy, "is empty", "write a setting, or leave it out");
        }
    }
}

fn dr24(subject: &Subject, out: &mut Out) {
    const SETTINGS: [&str; 4] = ["connectionPool", "loadBalancer", "outlierDetection", "tls"];
    for settings in port_settings(subject) {
        if settings.get("port").integer_of("number").is_none() {
            out.error(&settings.get("port"), "is missing", "write `port: {number: …}`");
        }
        if settings.present(&SETTINGS).is_empty() {
            out.error(&settings, "sets nothing", format!("write one of {}", SETTINGS.join(", ")));
        }
    }
}

fn dr25(subject: &Subject, out: &mut Out) {
    for policy in policies(subject) {
        let tunnel = policy.get("tunnel");
        if !tunnel.is_set() {
            continue;
        }
        if policy.has("proxyProtocol") {
            out.error(&tunnel, "stands beside `proxyProtocol`", "keep one of them");
        }
        if !matches!(tunnel.word("protocol"), "" | "CONNECT" | "POST") {
            out.error(
                &tunnel.get("protocol"),
                format!("is `{}`", tunnel.word("protocol")),
                "write `CONNECT` or `POST`",
            );
        }
        let host = tunnel.word("targetHost");
        if !(is_ip(host) || is_full_name(host) && host_flaw(host).is_none()) {
            out.error(
                &tunnel.get("targetHost"),
                format!("`{host}` is no full name and no IP address"),
                "write `host.example.com`",
            );
        }
        if !tunnel.integer_of("targetPort").is_some_and(|port| (1..=65535).contains(&port)) {
            out.error(&tunnel.get("targetPort"), "is not a port", "a port is from 1 to 65535");
        }
    }
}

fn dr26(subject: &Subject, out: &mut Out) {
    if subject.get("workloadSelector").is_empty() {
        return;
    }
    for (name, at) in subject.get("exportTo").texts() {
        if name != "." && name != subject.resource.namespace {
            let reason =
                format!("is `{name}` beside a workloadSelector, which selects in the own namespace only");
            out.error(&at, reason, "write `[\".\"]`, or leave exportTo out");
        }
    }
}
