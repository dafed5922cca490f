//! Rules of a VirtualService.

mod actions;
mod dead;
mod faults;
mod hosts;
mod lower;
mod matches;
mod retries;
mod rewriting;

use super::subject::Rule;

pub(super) const TABLES: [&[Rule]; 8] = [
    hosts::RULES,
    actions::RULES,
    matches::RULES,
    retries::RULES,
    faults::RULES,
    rewriting::RULES,
    lower::RULES,
    dead::RULES,
];
