//! Connection pools.

use super::blocks;
use crate::{
    field::Field,
    rules::subject::{Out, Rule, Subject},
};

pub(super) const RULES: &[Rule] =
    &[Rule::new("DR05", dr05), Rule::new("DR06", dr06), Rule::new("DR07", dr07), Rule::new("H23", h23)];

/// The numbers of a pool, and whether 0 means that none is given.
const NUMBERS: [(&str, &str, bool); 6] = [
    ("tcp", "maxConnections", true),
    ("http", "http1MaxPendingRequests", true),
    ("http", "http2MaxRequests", true),
    ("http", "maxRetries", true),
    ("http", "maxRequestsPerConnection", false),
    ("http", "maxConcurrentStreams", false),
];

fn pools<'a>(subject: &Subject<'a>) -> Vec<Field<'a>> {
    blocks(subject, "connectionPool")
}

fn dr05(subject: &Subject, out: &mut Out) {
    for pool in pools(subject) {
        if pool.present(&["http", "tcp"]).is_empty() {
            out.error(&pool, "sets nothing", "write `http` or `tcp`, or leave it out");
        }
    }
}

fn dr06(subject: &Subject, out: &mut Out) {
    for pool in pools(subject) {
        for (block, name, _) in NUMBERS {
            let at = pool.get(block).get(name);
            if let Some(number) = at.integer().filter(|&number| number < 0) {
                out.error(
                    &at,
                    format!("is {number}"),
                    "write a number above 0, or leave it out for no limit",
                );
            }
        }
    }
}

fn dr07(subject: &Subject, out: &mut Out) {
    for pool in pools(subject) {
        let http = pool.get("http");
        if http.flag("useClientProtocol") && http.word("h2UpgradePolicy") == "UPGRADE" {
            out.error(
                &http.get("h2UpgradePolicy"),
                "upgrades, while `useClientProtocol` keeps the client's protocol",
                "keep one of them",
            );
        }
    }
}

fn h23(subject: &Subject, out: &mut Out) {
    let warn = |at: &Field, out: &mut Out| {
        if at.number() == Some(0.0) {
            out.warning(
                at,
                "is 0, which Istio takes for \"not given\"",
                "write the limit that is meant, or leave it out",
            );
        }
    };
    for pool in pools(subject) {
        for (block, name, _) in NUMBERS.iter().filter(|(_, _, unset)| *unset) {
            warn(&pool.get(block).get(name), out);
        }
    }
    for detection in blocks(subject, "outlierDetection") {
        warn(&detection.get("maxEjectionPercent"), out);
    }
}
