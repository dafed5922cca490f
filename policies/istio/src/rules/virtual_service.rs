//! Rules of a VirtualService.

mod actions;
mod dead;
mod faults;
mod hosts;
mod lower;
mod matches;
mod retries;
mod rewriting;
mod shares;

use super::subject::Rule;

pub(super) const TABLES: [&[Rule]; 9] = [
    hosts::RULES,
    actions::RULES,
    matches::RULES,
    retries::RULES,
    faults::RULES,
    shares::RULES,
    rewriting::RULES,
    lower::RULES,
    dead::RULES,
];
