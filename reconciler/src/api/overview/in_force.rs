//! The policies in force, and those that come into force.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{
    first_generation::FaultType, measured::Measured, policy_status::Targets, time::Time,
    writes::HistoryCommit,
};

/// A policy in force: what is configured, and what filters measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InForce {
    /// The commit that gave the policy its present content; null for a directory, and while that is not known.
    pub committed: Option<HistoryCommit>,
    /// The configured shares of requests.
    pub configured: Shares,
    /// The end of its last rule; null if one of them has no end.
    pub ends_at: Option<Time>,
    #[serde(default)]
    pub fault_types: Vec<FaultType>,
    /// What filters report; null if none has reported yet.
    pub measured: Option<Measured>,
    pub name: String,
    /// It decides and counts, and injects nothing.
    #[serde(default)]
    pub shadow: bool,
    /// The faults in each of the last 60 seconds, the oldest first; empty if none are measured.
    #[serde(default)]
    pub spark: Vec<f64>,
    pub targets: Targets,
}

/// The configured shares of the rules of a policy, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shares {
    /// That of the rule with the largest share.
    pub highest: f64,
    /// That of the rule with the smallest share; the same if there is one rule.
    pub lowest: f64,
}

/// A policy that comes into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Coming {
    /// The commit that gave the policy its present content; null for a directory, and while that is not known.
    pub committed: Option<HistoryCommit>,
    /// The end of its last rule; null if one of them has no end.
    pub ends_at: Option<Time>,
    #[serde(default)]
    pub fault_types: Vec<FaultType>,
    /// A halt or a withdrawal holds everything: it comes into force only if that has ended by then.
    #[serde(default)]
    pub held: bool,
    pub name: String,
    /// The time at which it comes into force.
    pub starts_at: Time,
    pub targets: Targets,
}
