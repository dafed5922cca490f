//! The requests that proxies count for each policy.

use crate::{api::policy_status::PolicyStatus, http::fault_reports::Reports};

/// Adds to each policy what was reported of it.
pub(super) fn tell(policies: &mut [PolicyStatus], reports: &Reports) {
    for policy in policies {
        policy.measured = reports.policy(&policy.name);
    }
}
