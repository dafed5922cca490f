//! The requests that proxies count for each policy.

use crate::{
    api::policy_status::PolicyStatus,
    fleet::shared::Others,
    http::{fault_reports::Reports, state::Served},
};

/// Adds to each policy what was reported of it.
pub(super) fn tell(policies: &mut [PolicyStatus], served: &Served, others: Option<&Others>) {
    let reports = Reports::of(served, others);
    for policy in policies {
        policy.measured = reports.policy(&policy.name);
    }
}
