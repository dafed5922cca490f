//! TLS of servers.

mod certificates;

use std::collections::BTreeSet;

use crate::{
    field::Field,
    rules::{
        protocol::Protocol,
        subject::{Out, Rule, Subject},
    },
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("GW08", gw08),
    Rule::new("GW09", gw09),
    Rule::new("GW10", gw10),
    Rule::new("GW11", certificates::gw11),
    Rule::new("GW12", certificates::gw12),
    Rule::new("GW13", certificates::gw13),
    Rule::new("GW14", certificates::gw14),
    Rule::new("GW15", gw15),
    Rule::new("GW16", gw16),
    Rule::new("GW17", certificates::gw17),
];

/// The suites that Envoy knows.
const SUITES: [&str; 14] = [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-SHA",
    "AES256-SHA",
];
const OLD_SUITE: &str = "DES-CBC3-SHA";

/// The blocks of TLS that there are.
fn blocks<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    subject.each("servers").filter_map(|server| server.get("tls").set())
}

fn protocol(server: &Field) -> Protocol {
    Protocol::of(server.get("port").word("protocol"))
}

fn gw08(subject: &Subject, out: &mut Out) {
    for server in subject.each("servers") {
        if protocol(&server).is_tls() && !server.has("tls") {
            out.error(
                &server.get("tls"),
                "is missing, and the protocol needs it",
                "write `mode` and `credentialName`",
            );
        }
    }
}

fn gw09(subject: &Subject, out: &mut Out) {
    for server in subject.each("servers").filter(|server| !protocol(server).is_tls()) {
        let tls = server.get("tls");
        let redirects =
            protocol(&server).is("HTTP") && tls.entries().all(|(name, _)| name == "httpsRedirect");
        if tls.is_set() && !redirects {
            out.error(
                &tls,
                "stands at a server without TLS",
                "write the protocol HTTPS or TLS; HTTP takes `httpsRedirect` alone",
            );
        }
    }
}

fn gw10(subject: &Subject, out: &mut Out) {
    for server in subject.each("servers") {
        let tls = server.get("tls");
        if tls.flag("httpsRedirect") && !protocol(&server).is("HTTP") {
            out.warning(
                &tls.get("httpsRedirect"),
                "redirects nothing here",
                "write it at the server of HTTP",
            );
        }
    }
}

fn gw15(subject: &Subject, out: &mut Out) {
    for tls in blocks(subject) {
        let mut seen = BTreeSet::new();
        for (suite, at) in tls.get("cipherSuites").texts() {
            if !SUITES.contains(&suite) && suite != OLD_SUITE {
                out.warning(
                    &at,
                    format!("`{suite}` is not known to Envoy, and is ignored"),
                    format!("known are {}", SUITES.join(", ")),
                );
            } else if !seen.insert(suite) {
                out.warning(&at, format!("is `{suite}` again"), "write each suite once");
            }
        }
    }
}

fn gw16(subject: &Subject, out: &mut Out) {
    for tls in blocks(subject) {
        for name in ["minProtocolVersion", "maxProtocolVersion"] {
            if matches!(tls.word(name), "TLSV1_0" | "TLSV1_1") && tls.get("cipherSuites").is_empty() {
                let right = "write `cipherSuites` for old clients, or TLSV1_2";
                out.warning(&tls.get(name), "allows versions for which no suite is on", right);
            }
        }
    }
}
