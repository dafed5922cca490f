//! Gateways at the same Pods.

use std::collections::BTreeSet;

use super::{Rule, known::Known};
use crate::{
    resource::Kind,
    rules::subject::{Out, Subject},
};

pub(super) const RULES: &[Rule] = &[Rule::new("X138", x138), Rule::new("X145", x145)];

/// The other Gateways at the same Pods, by their selector.
fn siblings<'k, 'a>(known: &'k Known<'a>, subject: &'k Subject<'a>) -> Vec<&'k Subject<'a>> {
    if subject.kind() != Kind::Gateway || subject.get("selector").is_empty() {
        return Vec::new();
    }
    let selector = subject.get("selector").value();
    let others = known.all(Kind::Gateway).filter(|other| other.get("selector").value() == selector);
    others.filter(|other| subject.resource.order() > other.resource.order()).collect()
}

fn x138(known: &Known, subject: &Subject, out: &mut Out) {
    for other in siblings(known, subject) {
        let theirs: BTreeSet<_> =
            other.each("servers").map(|server| server.get("tls").word("credentialName")).collect();
        for at in subject.each("servers").map(|server| server.get("tls").get("credentialName")) {
            if at.text().is_some_and(|name| !name.is_empty() && theirs.contains(name)) {
                let reason = format!(
                    "is used by {} too: a browser reuses its connection there and gets 404",
                    other.resource.name
                );
                out.warning(&at, reason, "write one Gateway for a certificate");
            }
        }
    }
}

fn x145(known: &Known, subject: &Subject, out: &mut Out) {
    for other in siblings(known, subject) {
        for (server, theirs) in subject
            .each("servers")
            .flat_map(|server| other.each("servers").map(move |theirs| (server.clone(), theirs)))
        {
            let same_port =
                server.get("port").integer_of("number") == theirs.get("port").integer_of("number");
            if !same_port || server.word("bind") != theirs.word("bind") {
                continue;
            }
            let taken: BTreeSet<_> = theirs.get("hosts").texts().map(|(entry, _)| plain(entry)).collect();
            for (entry, at) in server.get("hosts").texts().filter(|(entry, _)| taken.contains(plain(entry))) {
                let reason =
                    format!("`{}` is taken by {} at the same port", plain(entry), other.resource.name);
                out.error(&at, reason, "write each host in one Gateway");
            }
        }
    }
}

/// The host of an entry, without its namespace.
fn plain(entry: &str) -> &str {
    entry.split_once('/').map_or(entry, |(_, host)| host)
}
