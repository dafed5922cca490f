//! The listeners of a workload.

use std::collections::BTreeSet;

use crate::{
    rules::{
        protocol::Protocol,
        subject::{Out, Rule, Subject},
    },
    text::is_ip,
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("SC04", sc04),
    Rule::new("SC05", sc05),
    Rule::new("SC06", sc06),
    Rule::new("SC07", sc07),
    Rule::new("SC08", sc08),
];

fn sc04(subject: &Subject, out: &mut Out) {
    for list in ["ingress", "egress"] {
        let mut seen = BTreeSet::new();
        for listener in subject.each(list).filter(|listener| listener.has("port")) {
            let (bind, at) = (listener.word("bind"), listener.get("port").get("number"));
            let number = at.integer().unwrap_or_default();
            let socket = bind.starts_with("unix://");
            if number == 0 && !socket {
                out.error(&at, "is 0", "a port is from 1 to 65535; only a `unix://` bind has none");
            }
            if socket && !matches!(listener.word("captureMode"), "" | "DEFAULT" | "NONE") {
                out.error(&listener.get("captureMode"), "captures traffic for a socket", "write `NONE`");
            }
            let key = if number == 0 { bind.to_owned() } else { format!("{bind}:{number}") };
            if !seen.insert(key) {
                out.error(&at, "is the port of another listener too", "give each listener a port of its own");
            }
        }
    }
}

fn sc05(subject: &Subject, out: &mut Out) {
    for listener in subject.each("ingress") {
        let (port, bind) = (listener.get("port"), listener.word("bind"));
        if !port.is_set() {
            out.error(&port, "is missing", "write `number`, `protocol` and `name`");
        }
        if port.integer_of("targetPort").is_some_and(|port| port != 0) {
            out.error(
                &port.get("targetPort"),
                "has no effect in a Sidecar",
                "write `defaultEndpoint: 127.0.0.1:PORT`",
            );
        }
        if !(bind.is_empty() || is_ip(bind) || bind.starts_with("unix://")) {
            out.error(
                &listener.get("bind"),
                format!("`{bind}` is not an IP address"),
                "write `0.0.0.0` or an address of the Pod",
            );
        }
    }
}

fn sc06(subject: &Subject, out: &mut Out) {
    const OWN: [&str; 4] = ["127.0.0.1", "0.0.0.0", "[::1]", "[::]"];
    for listener in subject.each("ingress") {
        let endpoint = listener.word("defaultEndpoint");
        let fits = match endpoint.strip_prefix("unix://") {
            Some(path) => path.starts_with(['/', '@']),
            None => endpoint.rsplit_once(':').is_some_and(|(address, port)| {
                OWN.contains(&address) && port.parse().is_ok_and(|port: u16| port > 0)
            }),
        };
        if !(endpoint.is_empty() || fits) {
            let right = "write `127.0.0.1:PORT`, `0.0.0.0:PORT` or `unix://` and a path";
            out.error(&listener.get("defaultEndpoint"), format!("`{endpoint}` is not of the own Pod"), right);
        }
    }
}

fn sc07(subject: &Subject, out: &mut Out) {
    const REFUSED: [&str; 5] =
        ["subjectAltNames", "httpsRedirect", "credentialName", "credentialNames", "tlsCertificates"];
    for listener in subject.each("ingress").filter(|listener| listener.has("tls")) {
        let tls = listener.get("tls");
        if !Protocol::of(listener.get("port").word("protocol")).is_tls() {
            out.error(&tls, "stands at a port without TLS", "write the protocol HTTPS or TLS");
        }
        for name in REFUSED.iter().filter(|name| !tls.get(name).is_empty()) {
            out.error(&tls.get(name), "is not supported in a Sidecar", "write the files of the certificate");
        }
        if matches!(tls.word("mode"), "ISTIO_MUTUAL" | "AUTO_PASSTHROUGH") {
            out.error(&tls.get("mode"), format!("is {}", tls.word("mode")), "write SIMPLE or MUTUAL");
        }
    }
}

fn sc08(subject: &Subject, out: &mut Out) {
    for listener in subject.each("ingress") {
        let http = listener.get("connectionPool").get("http");
        let protocol = listener.get("port").word("protocol");
        if http.is_set() && !protocol.is_empty() && !Protocol::of(protocol).is_http() {
            out.warning(
                &http,
                format!("is ignored at a port of {protocol}"),
                "write `tcp`, or the protocol HTTP",
            );
        }
    }
}
