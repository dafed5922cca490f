//! Rules of a Sidecar.

mod egress;
mod ingress;

use super::subject::Rule;

pub(super) const TABLES: [&[Rule]; 2] = [egress::RULES, ingress::RULES];
