//! What a workload calls.

use std::collections::BTreeSet;

use crate::{
    rules::subject::{Out, Rule, Subject},
    text::{host_flaw, is_full_name, istio_label},
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("SC01", sc01),
    Rule::new("SC02", sc02),
    Rule::new("SC03", sc03),
    Rule::new("SC09", sc09),
    Rule::new("SC10", sc10),
];

fn sc01(subject: &Subject, out: &mut Out) {
    const PARTS: [&str; 4] = ["egress", "ingress", "outboundTrafficPolicy", "inboundConnectionPool"];
    if PARTS.iter().all(|name| subject.get(name).is_empty()) {
        out.error(&subject.spec, "says nothing", format!("write one of {}", PARTS.join(", ")));
    }
}

fn sc02(subject: &Subject, out: &mut Out) {
    for listener in subject.each("egress") {
        let hosts = listener.get("hosts");
        if hosts.is_empty() {
            out.error(&hosts, "names no host", "write `./*` for the own namespace");
        }
        for (entry, at) in hosts.texts() {
            let Some((namespace, host)) = entry.split_once('/') else {
                out.error(
                    &at,
                    format!("`{entry}` has no namespace"),
                    format!("write `./{entry}`, with the full name of the host"),
                );
                continue;
            };
            let plain = namespace.strip_prefix('~').unwrap_or(namespace);
            if !(matches!(namespace, "." | "*" | "~") || istio_label(plain)) {
                out.error(
                    &at,
                    format!("`{namespace}` is not a namespace"),
                    "write `.`, `*` or the name of one",
                );
            }
            if host != "*" && !host.contains('.') {
                out.error(&at, format!("`{host}` is a short name"), "write the full name, or `*`");
            } else if host.len() > 1 && host.starts_with('*') && !host.starts_with("*.") {
                out.error(
                    &at,
                    format!("`{host}` has a wildcard for a part of a label"),
                    "write `*.example.com`",
                );
            }
        }
    }
}

fn sc03(subject: &Subject, out: &mut Out) {
    let listeners: Vec<_> = subject.each("egress").collect();
    let before_the_last = listeners.len().saturating_sub(1);
    for listener in listeners.iter().take(before_the_last).filter(|listener| !listener.has("port")) {
        out.error(
            listener,
            "has no port, and is not the last",
            "the one without a port takes the rest; write it last",
        );
    }
}

fn sc09(subject: &Subject, out: &mut Out) {
    let own = &*subject.resource.namespace;
    for listener in subject.each("egress") {
        let split = |entry: &str| {
            let (namespace, host) = entry.split_once('/').unwrap_or(("", entry));
            let namespace = if namespace == "." { own } else { namespace };
            (namespace.to_owned(), host.to_owned())
        };
        let hosts: Vec<_> = listener.get("hosts").texts().map(|(entry, at)| (split(entry), at)).collect();
        let all: BTreeSet<_> = hosts.iter().map(|(entry, _)| entry.clone()).collect();
        let everything = ("*".to_owned(), "*".to_owned());
        let mut seen = BTreeSet::new();
        for (entry, at) in hosts {
            let whole = (entry.0.clone(), "*".to_owned());
            let wider =
                [&everything, &whole].into_iter().find(|wider| entry != **wider && all.contains(*wider));
            if !seen.insert(entry.clone()) {
                out.warning(&at, "names the same hosts again", "write it once");
            } else if let Some((namespace, host)) = wider {
                out.warning(&at, format!("is contained in `{namespace}/{host}`"), "keep one of them");
            }
        }
    }
}

fn sc10(subject: &Subject, out: &mut Out) {
    let policy = subject.get("outboundTrafficPolicy");
    let proxy = policy.get("egressProxy");
    if !proxy.is_set() {
        return;
    }
    let host = proxy.word("host");
    if !is_full_name(host) || host_flaw(host).is_some() {
        out.error(
            &proxy.get("host"),
            format!("`{host}` is not a full name"),
            "write the full name of the service",
        );
    }
    if proxy.get("port").integer_of("number").is_none() {
        out.error(&proxy.get("port"), "is missing", "write `port: {number: …}`");
    }
    if policy.word("mode") != "ALLOW_ANY" {
        out.error(&proxy, "stands beside another mode than ALLOW_ANY", "write that mode");
    }
    out.warning(&proxy, "is deprecated, and Istio ignores it", "leave it out");
}
