//! `sidecar`: whom the application calls.

use policies::reading::{Cursor, Fields, word};

use super::{
    fields::{items, service},
    scope::Scope,
};
use crate::values::{Label, ServiceRef};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sidecar {
    pub calls: Vec<Call>,
    /// Absent: as the mesh has it.
    pub external: Option<External>,
}

/// What is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    Service(ServiceRef),
    /// Everything of a namespace.
    Namespace(Label),
}

/// What happens to calls of hosts that the mesh does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum External {
    Deny,
    Allow,
}

pub(super) fn read(fields: &mut Fields<'_>, _: &Scope<'_>) -> Option<Sidecar> {
    let calls = fields.require("calls").and_then(|field| items(&field, |item| call(&item)));
    let words = [("deny", External::Deny), ("allow", External::Allow)];
    let external = fields.read("external", |field| word(Some(field.clone()), &words)).optional();
    Some(Sidecar { calls: calls?, external: external? })
}

fn call(item: &Cursor<'_>) -> Option<Call> {
    match item.string()?.strip_suffix("/*") {
        Some("*") => {
            item.report("is every service there is, as without a `sidecar`; name those that are called");
            None
        }
        Some(namespace) => item.accept(Label::try_from(namespace.to_owned())).map(Call::Namespace),
        None => service(item).map(Call::Service),
    }
}
