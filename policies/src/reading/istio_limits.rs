//! `istio` of a guardrail, as it is written.

use super::{
    fields::Cursor,
    values::{bounded, globs, word},
};
use crate::language::{AllowSpec, Dataplane, ISTIO_KINDS, IstioLimits, is_label};

/// The words of `allowSpec`.
const SPEC: [(&str, AllowSpec); 3] =
    [("all", AllowSpec::All), ("safe", AllowSpec::Safe), ("none", AllowSpec::None)];

/// The words of `dataplane`.
const PLANES: [(&str, Dataplane); 2] = [("sidecar", Dataplane::Sidecar), ("ambient", Dataplane::Ambient)];

pub(super) fn read(field: &Cursor<'_>) -> Option<IstioLimits> {
    let mut fields = field.clone().fields()?;
    let kinds = fields.read("kinds", kinds);
    let namespaces = fields.read("namespaces", globs);
    let hosts = fields.read("hosts", globs);
    let allow_spec = fields.read("allowSpec", |field| word(Some(field.clone()), &SPEC));
    let allow_namespace_wide = fields.read("allowNamespaceWide", Cursor::boolean);
    let allow_deny_all = fields.read("allowDenyAll", Cursor::boolean);
    let max_removals = fields.read("maxRemovals", |field| field.integer(0..=u32::MAX, " of objects"));
    let dataplane = fields.read("dataplane", |field| word(Some(field.clone()), &PLANES));
    let sidecar_always = fields.read("sidecarAlways", calls);
    fields.finish();
    Some(IstioLimits {
        kinds: kinds.optional()?,
        namespaces: namespaces.optional()?,
        hosts: hosts.optional()?,
        allow_spec: allow_spec.optional()?,
        allow_namespace_wide: allow_namespace_wide.optional()?,
        allow_deny_all: allow_deny_all.optional()?,
        max_removals: max_removals.optional()?,
        dataplane: dataplane.optional()?,
        sidecar_always: sidecar_always.optional()?,
    })
}

fn kinds(field: &Cursor<'_>) -> Option<Vec<&'static str>> {
    let words = ISTIO_KINDS.map(|kind| (kind, kind));
    let kinds: Vec<_> = bounded(field)?.map(|item| word(Some(item), &words)).collect();
    kinds.into_iter().collect()
}

fn calls(field: &Cursor<'_>) -> Option<Vec<String>> {
    let calls: Vec<_> = bounded(field)?.map(|item| call(&item)).collect();
    calls.into_iter().collect()
}

/// `NAMESPACE/HOST`, as a Sidecar has it.
fn call(item: &Cursor<'_>) -> Option<String> {
    let text = item.string()?;
    let (namespace, host) = text.split_once('/').unwrap_or_default();
    let labels = host.strip_prefix("*.").unwrap_or(host);
    let is_host = host == "*" || labels.len() <= 253 && labels.split('.').all(is_label);
    if !is_label(namespace) || !is_host {
        item.report(format_args!(
            "`{text}` is not a namespace and a host; write `NAMESPACE/HOST` or `NAMESPACE/*`, such as `tracing/*`"
        ));
        return None;
    }
    Some(text.to_owned())
}
