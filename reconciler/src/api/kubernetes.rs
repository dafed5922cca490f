//! A replica and its cluster.

use std::collections::BTreeMap;

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
    /// The proxies that should run the filter. Only the replica that holds the Lease looks for them, with
    /// `--proxies`; null elsewhere, and before every replica has said which filters it hears.
    pub proxies: Option<Proxies>,
}

/// The proxies that should run the filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proxies {
    /// The number of pods that run and that a plugin of hfi is for.
    pub covered: usize,
    /// Those of them that poll no replica, or do not run every plugin that is for them, sorted by name.
    pub silent: Vec<SilentProxy>,
    /// The time since which this is only what was known last: a replica or the API server cannot be asked. Null
    /// while it is new. After ten minutes nothing is told instead.
    #[serde(default, rename = "staleSince")]
    pub stale_since: Option<Time>,
}

/// A proxy that should run the filter, and does not, or not for all of its plugins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SilentProxy {
    pub namespace: String,
    /// The plugins that are for it and that it does not run, as `namespace/name`.
    pub plugins: Vec<String>,
    pub pod: String,
    /// The start of its last poll, or of the first one that did not name one of these plugins, or else of its silence,
    /// as far as the replicas know.
    pub since: Time,
    /// The same for each of these plugins.
    #[serde(default, rename = "sinceByPlugin")]
    pub since_by_plugin: BTreeMap<String, Time>,
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
    /// Asks all replicas which filters they hear.
    Replicas,
    /// Reads the pods and plugins that say which proxies should run the filter.
    Proxies,
    /// Has plugins sent again.
    Healing,
    /// Hands the Istio configuration of applications to Flux.
    Artifacts,
    /// A duty of a newer server.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl ClusterTask {
    pub const ALL: [Self; 8] = [
        Self::Namespaces,
        Self::Lease,
        Self::Status,
        Self::Events,
        Self::Replicas,
        Self::Proxies,
        Self::Healing,
        Self::Artifacts,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::Lease => "lease",
            Self::Status => "status",
            Self::Events => "events",
            Self::Replicas => "replicas",
            Self::Proxies => "proxies",
            Self::Healing => "healing",
            Self::Artifacts => "artifacts",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for ClusterTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
