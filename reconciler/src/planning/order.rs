//! Orders for the process that plans, and its answers. Each is a line of JSON.

use policies::language::ClusterDomain;
use serde::{Deserialize, Serialize};

use crate::{
    istio::{
        foreign::Foreign,
        plan::{InForce, Namespaces, Plan},
    },
    source::{ancestry::CommitId, git::CommitLog},
};

/// What is in force in each namespace, or the reason why that is unknown.
pub type Known = Namespaces<Result<InForce, String>>;

/// Everything that a plan depends on. Nothing in it is secret.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) commits: CommitLog,
    pub(super) cluster_domain: ClusterDomain,
    /// The newest commit.
    pub(super) commit: CommitId,
    /// The reason why nobody may go by it.
    pub(super) withdrawn: Option<String>,
    /// The commits that people have agreed to, by namespace.
    pub(super) allowed: Namespaces<String>,
    pub(super) known: Known,
    /// What others may have made.
    pub(super) foreign: Foreign,
}

/// The plan for each namespace, or the reason why there is none.
pub(super) type Answer = Result<Namespaces<Plan>, String>;
