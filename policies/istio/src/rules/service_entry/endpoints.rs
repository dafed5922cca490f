//! Endpoints.

use super::resolution;
use crate::{
    field::Field,
    rules::subject::{Out, Rule, Subject},
    text::is_ip,
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("SE03", se03),
    Rule::new("SE09", se09),
    Rule::new("SE10", se10),
    Rule::new("SE12", se12),
    Rule::new("SE13", se13),
    Rule::new("SE14", se14),
];

fn endpoints<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    subject.each("endpoints")
}

fn se03(subject: &Subject, out: &mut Out) {
    if subject.spec.has("workloadSelector") && !subject.get("endpoints").is_empty() {
        out.error(&subject.get("endpoints"), "stands beside `workloadSelector`", "keep one of them");
    }
}

fn se09(subject: &Subject, out: &mut Out) {
    if resolution(subject) != "NONE" {
        return;
    }
    if !subject.get("endpoints").is_empty() {
        out.error(
            &subject.get("endpoints"),
            "stands beside resolution NONE",
            "write resolution STATIC for addresses, DNS for names",
        );
    }
    if subject.spec.has("workloadSelector") {
        out.warning(
            &subject.get("workloadSelector"),
            "selects nothing with resolution NONE",
            "write resolution STATIC",
        );
    }
}

fn se10(subject: &Subject, out: &mut Out) {
    for endpoint in endpoints(subject) {
        let (address, at) = (endpoint.word("address"), endpoint.get("address"));
        if let Some(path) = address.strip_prefix("unix://") {
            if !path.starts_with(['/', '@']) || path.ends_with('/') {
                out.error(
                    &at,
                    format!("`{address}` is not the path of a socket"),
                    "write `unix:///run/service.sock`",
                );
            }
            if !endpoint.get("ports").is_empty() {
                out.error(&endpoint.get("ports"), "stands at a socket, which has no ports", "leave it out");
            }
            if subject.get("ports").len() > 1 {
                out.error(&subject.get("ports"), "has several ports for a socket", "write one");
            }
        } else if resolution(subject) == "STATIC" && !address.is_empty() && !is_ip(address) {
            out.error(&at, format!("`{address}` is not an IP address"), "write one, or resolution DNS");
        }
    }
}

fn se12(subject: &Subject, out: &mut Out) {
    let endpoints = subject.get("endpoints");
    if resolution(subject) == "DNS_ROUND_ROBIN" && endpoints.len() > 1 {
        out.error(
            &endpoints,
            "has several endpoints",
            "DNS_ROUND_ROBIN takes one; write resolution DNS for several",
        );
    }
}

fn se13(subject: &Subject, out: &mut Out) {
    let names: Vec<_> = subject.each("ports").map(|port| port.word("name")).collect();
    for endpoint in endpoints(subject) {
        for (name, at) in endpoint.get("ports").entries().filter(|(name, _)| !names.contains(name)) {
            out.error(
                &at,
                format!("`{name}` is not a port of the entry"),
                format!("its ports are {}", names.join(", ")),
            );
        }
    }
}

fn se14(subject: &Subject, out: &mut Out) {
    for endpoint in endpoints(subject).filter(|endpoint| endpoint.get("address").is_empty()) {
        // A name is looked up, and there is none.
        if endpoint.get("network").is_empty() || resolution(subject).starts_with("DNS") {
            out.error(&endpoint.get("address"), "is missing", "write an IP address or a host");
        } else {
            out.warning(
                &endpoint.get("address"),
                "is missing, so requests go to the gateway of the network",
                "write it if that is not meant",
            );
        }
    }
}
