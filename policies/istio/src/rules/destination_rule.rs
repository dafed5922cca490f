//! Rules of a DestinationRule.

mod balancing;
mod outliers;
mod pools;
mod subsets;
mod tls;

use super::subject::{Rule, Subject};
use crate::field::Field;

pub(super) const TABLES: [&[Rule]; 5] =
    [subsets::RULES, pools::RULES, outliers::RULES, balancing::RULES, tls::RULES];

/// The traffic policies of the host and of its subsets.
pub(super) fn policies<'a>(subject: &Subject<'a>) -> Vec<Field<'a>> {
    let of_subsets = subject.each("subsets").map(|subset| subset.get("trafficPolicy"));
    std::iter::once(subject.get("trafficPolicy")).chain(of_subsets).filter(Field::is_set).collect()
}

/// The settings of single ports.
fn port_settings<'a>(subject: &Subject<'a>) -> Vec<Field<'a>> {
    policies(subject).iter().flat_map(|policy| policy.get("portLevelSettings").items()).collect()
}

/// This block of every policy and port that has it.
pub(super) fn blocks<'a>(subject: &Subject<'a>, name: &'static str) -> Vec<Field<'a>> {
    let holders = policies(subject).into_iter().chain(port_settings(subject));
    holders.filter_map(|holder| holder.get(name).set()).collect()
}
