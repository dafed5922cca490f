//! What is not right.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Listed;
use crate::api::{finding::Finding, time::Time};

/// All that is not right and that somebody should look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Trouble {
    /// Filters whose next poll is overdue by more than a minute, by node.
    pub gone: Listed<FilterInTrouble>,
    /// Policies whose namespace is not in the cluster.
    pub inactive: Listed<PolicyInTrouble>,
    /// Filters that do not run the newest snapshot yet, by node.
    pub lagging: Listed<FilterInTrouble>,
    /// Policies in force that no filter has.
    pub no_filter: Listed<PolicyInTrouble>,
    /// Files with errors; nothing of them is served.
    pub rejected: Listed<Rejected>,
}

/// A file with errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejected {
    #[serde(default)]
    pub errors: Listed<Finding>,
    /// The path of the file in the repository.
    pub file: String,
}

/// A policy that does nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyInTrouble {
    /// The path of its file in the repository.
    pub file: String,
    /// The line that it begins in, from 1.
    pub line: u32,
    pub name: String,
    /// The reason, as a sentence without its subject.
    pub reason: String,
}

/// A filter that lags or is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FilterInTrouble {
    /// The start of its last poll.
    pub last_contact: Time,
    /// The namespaces of its workload, separated by commas.
    #[serde(default)]
    pub namespace: String,
    /// The id of its Envoy node.
    pub node: String,
    /// The names of its workload, separated by commas.
    #[serde(default)]
    pub service: String,
}

impl Trouble {
    pub fn is_empty(&self) -> bool {
        let Self { gone, inactive, lagging, no_filter, rejected } = self;
        gone.is_empty()
            && inactive.is_empty()
            && lagging.is_empty()
            && no_filter.is_empty()
            && rejected.is_empty()
    }
}
