//! `peerAuthentication`: who may speak plain text to the application.

use policies::reading::{Cursor, Fields, Value, word};

use super::scope::Scope;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAuthentication {
    /// Absent: strict.
    pub mtls: Option<Mtls>,
    /// For ports of the pod.
    pub ports: Vec<(u32, Mtls)>,
}

/// What is taken: the TLS of the mesh, plain text, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mtls {
    Strict,
    Permissive,
    Disable,
}

const MODES: [(&str, Mtls); 3] =
    [("strict", Mtls::Strict), ("permissive", Mtls::Permissive), ("disable", Mtls::Disable)];

pub(super) fn read(fields: &mut Fields<'_>, _: &Scope<'_>) -> Option<PeerAuthentication> {
    let mtls = fields.read("mtls", |field| word(Some(field.clone()), &MODES)).optional();
    let ports = fields.read("ports", ports).or(Vec::new());
    Some(PeerAuthentication { mtls: mtls?, ports: ports? })
}

fn ports(field: &Cursor<'_>) -> Option<Vec<(u32, Mtls)>> {
    if !matches!(field.value(), Value::Map(entries) if !entries.is_empty()) {
        field.report("must be a map of ports and modes, such as `{9102: permissive}`");
        return None;
    }
    let ports = field.entries().map(|(port, mode)| {
        // `080` and `+80` are other keys with the same number.
        let number = port.parse::<u32>().ok();
        let number = number.filter(|number| (1..=65535).contains(number) && number.to_string() == port);
        if number.is_none() {
            mode.report(format_args!("`{port}` is not a port: a whole number from 1 to 65535"));
        }
        let mode = word(Some(mode), &MODES);
        Some((number?, mode?))
    });
    ports.collect::<Vec<_>>().into_iter().collect()
}
