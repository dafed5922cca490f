//! A replica and its cluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time::Time;

/// The cluster as a replica with `--kubernetes` sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kubernetes {
    /// The API server does all that this replica asks of it.
    #[serde(default)]
    pub connected: bool,
    /// Duties that the API server refuses or does not answer.
    #[serde(default)]
    pub failing: Vec<FailingDuty>,
    /// The replica that holds the Lease; null while that is not known.
    pub holder: Option<String>,
    /// This replica holds the Lease: it writes the status object and the Events.
    #[serde(default)]
    pub leader: bool,
    /// The number of namespaces, as last known; null before the first answer.
    pub namespaces: Option<usize>,
}

/// A duty that fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailingDuty {
    pub duty: ClusterTask,
    /// The last error.
    pub reason: String,
    /// The first of the failures in a row.
    pub since: Time,
}

/// A thing that a replica does with the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClusterTask {
    /// Watches the namespaces.
    Namespaces,
    /// Holds the Lease, or tries to.
    Lease,
    /// Writes the status object.
    Status,
    /// Writes the Events.
    Events,
    /// A duty of a newer server.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl ClusterTask {
    pub const ALL: [Self; 4] = [Self::Namespaces, Self::Lease, Self::Status, Self::Events];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::Lease => "lease",
            Self::Status => "status",
            Self::Events => "events",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for ClusterTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
