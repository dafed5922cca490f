//! Rules of an EnvoyFilter.

mod operations;
mod targets;
mod values;

use super::subject::{Out, Rule, Subject};
use crate::field::Field;

pub(super) const TABLES: [&[Rule]; 4] =
    [&[Rule::new("EF00", ef00)], targets::RULES, operations::RULES, values::RULES];

/// All patches. Istio itself leaves out those for waypoints (H21).
fn patches<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    subject.each("configPatches")
}

fn operation<'a>(patch: &Field<'a>) -> &'a str {
    patch.get("patch").word("operation")
}

fn ef00(subject: &Subject, out: &mut Out) {
    out.notice(&subject.spec, "changes what Istio generates, and every upgrade of Istio can break it", "");
}
