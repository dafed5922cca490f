//! Counts that proxies report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time::Time;

/// Requests that proxies count, of a policy or of a filter. The counts are totals: of each proxy that has reported since
/// `since`, from its own start on. They do not fall when a proxy goes. Those of a filter are without those of a policy that
/// was removed an hour ago. They are shown as proxies report them, and decide nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    /// Requests that were answered with a fault.
    #[serde(default)]
    pub aborts: u64,
    /// Requests that were chosen for a fault by the percentage of the rule. Those that got none, because of shadow mode or
    /// of a limit, are among them: `shadow` and `overflow`.
    #[serde(default)]
    pub chosen: u64,
    /// Requests that were held before they went on, or were answered.
    #[serde(default)]
    pub delays: u64,
    /// The proxies that have reported these counts within the last 16 minutes.
    #[serde(default)]
    pub filters: usize,
    /// Requests that a rule matched; the percentage of the rule is of these.
    #[serde(default)]
    pub matched: u64,
    /// Chosen requests that went on without their fault, because too many were held already.
    #[serde(default)]
    pub overflow: u64,
    /// True if the counts may be less than there were: a replica does not answer or is not asked, or one has no room for all
    /// reports.
    #[serde(default)]
    pub partial: bool,
    /// Faults a second now: requests that were chosen, without those of `shadow` and `overflow`. The proxies report every
    /// 10 s.
    #[serde(default)]
    pub per_second: f64,
    /// Requests that got a fault in the last 60 s, of those that a rule matched then, from 0 to 1; null if none matched, and
    /// of a filter.
    #[serde(default)]
    pub recent_share: Option<f64>,
    /// Chosen requests of a rule in shadow mode, which got no fault.
    #[serde(default)]
    pub shadow: u64,
    /// `chosen` of `matched`, from 0 to 1, to compare with the percentage that is configured; null if nothing matched.
    pub share: Option<f64>,
    /// The time from which on no report is missing: the start of this replica, or of the newest of all.
    pub since: Time,
}
