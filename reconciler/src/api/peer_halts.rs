//! `POST /v1/peer/halts`: what replicas tell each other of halts, in the request and in the answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{bounded::bounded, time::Time};

/// The most ends and halts of a message. A replica tells fewer.
const MAX_ENDED: usize = 5_000;
const MAX_HALTS: usize = 1_000;

/// The halts by HTTP that a replica knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PeerHalts {
    /// The halts that have ended, so that nobody who was away brings them back.
    #[serde(deserialize_with = "bounded::<MAX_ENDED, _, _>")]
    pub ended: Vec<PeerEnd>,
    /// True if the replica injects nothing, whatever the cause.
    pub halted: bool,
    /// The halts that hold.
    #[serde(deserialize_with = "bounded::<MAX_HALTS, _, _>")]
    pub halts: Vec<PeerHalt>,
}

/// A halt that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeerHalt {
    /// The user who halted.
    pub by: String,
    pub id: String,
    pub reason: String,
    pub since: Time,
}

/// A halt that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeerEnd {
    pub at: Time,
    /// A commit of the branch that no longer has the halt. A replica that follows a branch holds until it serves that
    /// commit; absent if the halt was never in Git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    pub id: String,
}
