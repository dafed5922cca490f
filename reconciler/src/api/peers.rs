//! `/v1/peer/…`: what replicas tell each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounded::bounded;

/// The request header with the SHA-256 of the id of the replica that asks, as `sha256:…`. Whoever finds its own there
/// tells no more than that. Only the replica itself knows the id: who repeats what was sent is not taken for it.
pub const REPLICA: &str = "x-hfi-replica";

/// The most filters of an answer, and the most reports and digests. A replica remembers fewer filters.
pub const MAX_TOLD: usize = 32_768;

/// An answer of a replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeerAnswer<T> {
    /// The id of its process, which no other has.
    pub id: String,
    /// Its host name.
    pub name: String,
    /// Null if the replica has asked itself.
    pub told: Option<T>,
}

/// A replica of which it is not known what it knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissingReplica {
    /// The reason why it did not answer.
    pub error: String,
    /// Its host name, or its address where that is all that is known.
    pub name: String,
}

/// The filters that polled one replica.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PeerState {
    /// False if more filters poll than are told.
    pub complete: bool,
    /// The digests of the snapshots that filters run and were given, each once.
    #[serde(deserialize_with = "bounded::<MAX_TOLD, _, _>")]
    pub digests: Vec<String>,
    /// The pods whose proxy has ended; left out unless this replica looks for them.
    #[serde(deserialize_with = "bounded::<MAX_TOLD, _, _>", skip_serializing_if = "Vec::is_empty")]
    pub ended_pods: Vec<PeerEndedPod>,
    #[serde(deserialize_with = "bounded::<MAX_TOLD, _, _>")]
    pub filters: Vec<PeerFilter>,
    /// The milliseconds for which the replica has listened to polls.
    pub listening_millis: u64,
    /// The longest that one of the filters lets its poll be held.
    pub longest_wait_millis: u64,
    /// What proxies reported to it of faults, the newest first.
    #[serde(deserialize_with = "bounded::<MAX_TOLD, _, _>")]
    pub reports: Vec<PeerReport>,
    /// False if more was reported than is told.
    pub reports_complete: bool,
    /// The pods whose proxy should run the filter and does not, each as `POD.NAMESPACE`; left out unless this replica
    /// looks for them.
    #[serde(deserialize_with = "bounded::<MAX_TOLD, _, _>", skip_serializing_if = "Vec::is_empty")]
    pub silent_pods: Vec<String>,
    /// The milliseconds since the last poll of a client that does not say what it runs; left out if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreported_millis: Option<u64>,
}

/// A pod whose proxy has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PeerEndedPod {
    /// The milliseconds since that is known.
    pub past_millis: u64,
    /// `POD.NAMESPACE`.
    pub pod: String,
}

/// The totals that one life of an Envoy process reported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PeerReport {
    /// Those of each policy, as the rows of the header `x-hfi-faults`.
    pub counts: String,
    /// The first half of the SHA-256 of node and epoch, in hex.
    pub life: String,
    /// The first half of the SHA-256 of the node, in hex.
    pub node: String,
    /// The milliseconds since its last report.
    pub silent_millis: u64,
}

/// The last poll of a filter. What it runs is for the reader to judge, who may know a newer commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PeerFilter {
    /// The place in `digests` of the snapshot that it runs; null if it runs none.
    pub digest: Option<usize>,
    /// The number of the format of that snapshot.
    pub format: u8,
    /// Another snapshot that it was given since, and has not confirmed. It is left out if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<PeerGiven>,
    /// Its next poll is overdue.
    pub gone: bool,
    /// The id of its Envoy node.
    pub node: String,
    /// The poll came from the address that is in the id.
    pub own: bool,
    /// The plugins of hfi that run in its proxy, separated by commas; null if it does not say.
    pub plugins: Option<String>,
    /// The query by which it asked for its snapshot.
    pub scope: String,
    /// The milliseconds since the start of the poll. A time would depend on the clock of the replica.
    pub silent_millis: u64,
}

/// A snapshot that a filter was given: its place in `digests`, and the milliseconds since then. It has no keys, since each
/// filter has one after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeerGiven(pub usize, pub u64);
