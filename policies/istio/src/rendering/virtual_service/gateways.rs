//! The Gateways that a VirtualService names.

use crate::{
    rendering::{frame::Frame, name},
    resource::Kind,
    written::{Attributes, Entry, GatewayRef, ServerTls},
};

/// The name of a Gateway as a VirtualService takes it.
pub(super) fn name(gateway: &GatewayRef, entry: &Entry, frame: &Frame<'_>) -> Option<String> {
    let wanted = match gateway {
        GatewayRef::Object { namespace, name } => return Some(format!("{namespace}/{name}")),
        GatewayRef::Entry(wanted) => wanted,
    };
    let application = frame.application;
    let refuse = |rule, reason: String, right: String| {
        frame.report(entry.error(rule, "gateways", reason).right(right));
    };
    let gateways = || application.entries.iter().filter(|entry| entry.kind == Kind::Gateway);
    let Some(found) = gateways().find(|entry| entry.name.as_ref() == Some(wanted)) else {
        let reason = format!("has `{wanted}`, which is no `gateway` entry of this document");
        let right = match gateways().find(|entry| entry.name.is_none()) {
            Some(unnamed) => format!("give that of line {} this `name`", unnamed.place.line),
            None => format!("name one that is, or write `NAMESPACE/{wanted}`"),
        };
        refuse("X101a", reason, right);
        return None;
    };
    if let Some(Attributes::Gateway(gateway)) = &found.attributes
        && gateway.tls == ServerTls::Passthrough
    {
        let reason = format!("has `{wanted}`, which passes TLS through and reads no requests to route");
        let right = "write `tls: {secret: NAME}` there, or write `tls` routes in an entry of `spec` alone";
        refuse("APP17", reason, right.to_owned());
    }
    let name = name::of(found, found.kind, None, false, application.name.as_str());
    Some(format!("{}/{name}", application.namespace))
}
