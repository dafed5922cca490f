//! Policies and problems in figures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{first_generation::SummaryFields, policy_status::PolicyState};

/// The number of policies in each state, and of everything that is not served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Counts {
    pub active: usize,
    /// Errors of all rejected files.
    pub errors: usize,
    pub expired: usize,
    /// Policies that a document of kind `Halt` keeps out of force.
    pub halted: usize,
    /// Policies whose namespace is not in the cluster.
    pub inactive: usize,
    /// Documents that are not of hfi's API group.
    #[serde(rename = "passedOver")]
    pub ignored: usize,
    /// All valid policies: the sum of the six states.
    pub policies: usize,
    /// Files with errors; nothing of them is served.
    pub rejected_files: usize,
    pub scheduled: usize,
    pub suspended: usize,
}

/// The counts of the status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    #[serde(flatten)]
    pub counts: Counts,
    #[serde(flatten)]
    pub first_generation: SummaryFields,
}

impl Counts {
    /// The number of policies in each state.
    pub fn states(&self) -> [(&'static str, usize); 6] {
        PolicyState::ALL.map(|state| (state.as_str(), self.of(state)))
    }

    fn of(&self, state: PolicyState) -> usize {
        match state {
            PolicyState::Active => self.active,
            PolicyState::Scheduled => self.scheduled,
            PolicyState::Expired => self.expired,
            PolicyState::Suspended => self.suspended,
            PolicyState::Inactive => self.inactive,
            PolicyState::Halted => self.halted,
            PolicyState::Unknown => 0,
        }
    }
}
