//! TLS of a client.

use super::blocks;
use crate::{
    field::Field,
    rules::subject::{Out, Rule, Subject},
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("DR21", dr21),
    Rule::new("DR22", dr22),
    Rule::new("DR23", dr23),
    Rule::new("DR27", dr27),
    Rule::new("H26", h26),
    Rule::new("X128", x128),
];

fn has(tls: &Field, name: &str) -> bool {
    !tls.get(name).is_empty()
}

fn dr21(subject: &Subject, out: &mut Out) {
    for tls in blocks(subject, "tls") {
        if tls.word("mode") != "MUTUAL" || has(&tls, "credentialName") {
            continue;
        }
        for name in ["clientCertificate", "privateKey"] {
            if !has(&tls, name) {
                out.error(
                    &tls.get(name),
                    "is missing, and MUTUAL needs it",
                    "write the path of its file, or `credentialName`",
                );
            }
        }
    }
}

fn dr22(subject: &Subject, out: &mut Out) {
    for tls in blocks(subject, "tls").iter().filter(|tls| has(tls, "credentialName")) {
        for name in ["clientCertificate", "privateKey", "caCertificates", "caCrl"] {
            if has(tls, name) {
                out.error(&tls.get(name), "stands beside `credentialName`", "keep one of them");
            }
        }
    }
}

fn dr23(subject: &Subject, out: &mut Out) {
    for tls in blocks(subject, "tls").iter().filter(|tls| tls.flag("insecureSkipVerify")) {
        let mut names = vec!["caCertificates", "subjectAltNames"];
        if tls.word("mode") == "SIMPLE" {
            names.push("credentialName");
        }
        for name in names {
            if has(tls, name) {
                out.error(
                    &tls.get(name),
                    "stands beside `insecureSkipVerify`, which verifies nothing",
                    "keep one of them",
                );
            }
        }
    }
}

fn dr27(subject: &Subject, out: &mut Out) {
    for tls in blocks(subject, "tls") {
        let Some(name) = tls.word("credentialName").strip_prefix("configmap://") else { continue };
        if name.split_once('/').is_some_and(|(namespace, _)| namespace != subject.resource.namespace) {
            let right = format!("write `configmap://NAME`, of the namespace {}", subject.resource.namespace);
            out.error(&tls.get("credentialName"), "names a ConfigMap of another namespace", right);
        }
    }
}

fn h26(subject: &Subject, out: &mut Out) {
    for tls in blocks(subject, "tls") {
        if !has(&tls, "mode") {
            out.error(
                &tls.get("mode"),
                "is missing, so Istio takes DISABLE and sends plain text",
                "write `SIMPLE`, `MUTUAL` or `ISTIO_MUTUAL`",
            );
        }
    }
}

fn x128(subject: &Subject, out: &mut Out) {
    let by_selector = subject.spec.has("workloadSelector");
    for tls in blocks(subject, "tls") {
        let verifies = matches!(tls.word("mode"), "SIMPLE" | "MUTUAL") && !tls.flag("insecureSkipVerify");
        let secret = has(&tls, "credentialName") && by_selector;
        if verifies && !has(&tls, "caCertificates") && !secret {
            let right = "write the file of your CA, or `caCertificates: system` to say that these are meant";
            out.warning(
                &tls.get("caCertificates"),
                "is missing, so the public CAs of the proxy's system hold",
                right,
            );
        }
    }
}
