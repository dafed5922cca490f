//! Rules of a Gateway.

mod servers;
mod tls;

use super::subject::Rule;

pub(super) const TABLES: [&[Rule]; 2] = [servers::RULES, tls::RULES];
