//! Fields of the status as the first generation names them, for its scripts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The fields of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PolicyFields {
    /// Its state is `active`.
    pub active: bool,
    pub fault_types: Vec<FaultType>,
    /// `targets.selector.namespace`
    pub namespace: String,
    pub rules_count: usize,
    /// `targets.selector.service`, or `host`
    pub target_service: String,
}

/// An action of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FaultType {
    Abort,
    Delay,
    /// An action of a newer server.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// The fields of the summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SummaryFields {
    /// Policies with a rule that aborts.
    pub abort_policies: usize,
    /// The same as `active`.
    pub active_policies: usize,
    /// Policies with a rule that delays.
    pub delay_policies: usize,
    /// The same as `policies`.
    pub total_policies: usize,
}

impl FaultType {
    /// Their names, with commas between them.
    pub fn list(types: &[Self]) -> String {
        let name = |fault: &Self| match fault {
            Self::Abort => "abort",
            Self::Delay => "delay",
            Self::Unknown => "unknown",
        };
        types.iter().map(name).collect::<Vec<_>>().join(",")
    }
}
