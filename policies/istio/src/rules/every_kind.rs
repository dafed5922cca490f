//! Rules that hold for every kind.

mod headers;
pub(super) mod hosts;
mod metadata;
mod scope;
pub(super) mod selectors;

use super::subject::Rule;

pub(super) const TABLES: [&[Rule]; 5] =
    [metadata::RULES, hosts::RULES, selectors::RULES, scope::RULES, headers::RULES];
