//! Fields of every kind of document: `apiVersion`, `kind` and `metadata`.

use super::{
    fields::{Cursor, Fields},
    values::or,
};
use crate::language::PolicyName;

pub(super) const API_VERSION: &str = "hfi.dev/v1";
pub(super) const GROUP: &str = "hfi.dev/";
pub(super) const POLICY: &str = "FaultPolicy";
pub(super) const GUARDRAIL: &str = "Guardrail";

pub(super) fn constant(field: Option<Cursor<'_>>, wanted: &[&str]) {
    let Some(field) = field else { return };
    if field.string().is_some_and(|text| !wanted.contains(&text)) {
        field.report(format_args!("must be {}", or(wanted)));
    }
}

pub(super) fn metadata(mut fields: Fields<'_>, required: bool) -> Option<Option<PolicyName>> {
    let name = if required { fields.require("name") } else { fields.take("name") };
    let name = name.map(|name| name.accept(name.string()?.to_owned().try_into()));
    for inert in ["version", "labels", "annotations"] {
        fields.take(inert);
    }
    fields.finish();
    name
}
