//! Rules of a PeerAuthentication.

use super::{
    every_kind::selectors::selector,
    subject::{Out, Rule, Subject},
};

pub(super) const TABLES: [&[Rule]; 1] = [&[Rule::new("PA01", pa01), Rule::new("PA02", pa02)]];

fn pa01(subject: &Subject, out: &mut Out) {
    let ports = subject.get("portLevelMtls");
    if ports.is_set() && selector(subject).1.is_empty() {
        out.error(&ports, "needs a selector with labels", "write `selector: {matchLabels: …}`");
    }
}

fn pa02(subject: &Subject, out: &mut Out) {
    let ports = subject.get("portLevelMtls");
    if ports.is_set() && ports.is_empty() {
        out.error(&ports, "is empty", "write `PORT: {mode: …}`, or leave it out");
    }
    for (port, at) in ports.entries() {
        if !port.parse().is_ok_and(|port: u16| port > 0) {
            out.error(&at, format!("`{port}` is not a port"), "write the number of the Pod's port");
        }
    }
}
