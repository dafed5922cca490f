//! Rules of a ServiceEntry.

mod endpoints;
mod hosts;
mod ports;

use super::subject::{Rule, Subject};

pub(super) const TABLES: [&[Rule]; 3] = [hosts::RULES, ports::RULES, endpoints::RULES];

/// How the endpoints are found; NONE if nothing is said.
fn resolution<'a>(subject: &Subject<'a>) -> &'a str {
    match subject.spec.word("resolution") {
        "" => "NONE",
        resolution => resolution,
    }
}
