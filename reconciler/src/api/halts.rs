//! `/v1/halt`: everything stops, and what is known of that.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time::Time;

/// The body of `POST /v1/halt`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HaltRequest {
    /// The reason, for all who see that nothing is injected.
    pub reason: String,
}

/// The halt of everything, or that there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HaltState {
    /// The user of the token; null without a halt, and where that is not known.
    pub by: Option<String>,
    /// True if every replica is halted; null without `--peers`.
    pub complete: Option<bool>,
    /// The place where the halt is kept; null without a halt.
    pub durable: Option<Durable>,
    /// The filters that polled this replica; in the answer to GET, with peers, any replica.
    pub filters: HaltedFilters,
    /// True if this replica injects nothing, because of a halt by HTTP, the halt file or a document of kind `Halt`.
    pub halted: bool,
    /// The id of the halt by HTTP that is the oldest; null if there is none.
    pub id: Option<String>,
    /// The reason that was given; null without a halt, and where none was.
    pub reason: Option<String>,
    /// This replica, which is the first, and its peers.
    pub replicas: Vec<HaltedReplica>,
    /// The time at which the halt began; null without a halt, and where that is not known.
    pub since: Option<Time>,
    /// The places to end the halt at where `DELETE /v1/halt` cannot: the halt file, stored halts that cannot be read, or files in
    /// Git.
    pub standing: Vec<String>,
    /// The last reason why the halt is not in Git or on disk yet, or was not ended; null if there was none.
    pub trouble: Option<String>,
}

/// The place where a halt is kept, and so what ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Durable {
    /// Its commit is on the way to the branch that is served.
    Pending,
    /// It is in the branch that is served.
    Git,
    /// It outlives a restart of this replica, by its state directory.
    Disk,
    /// A restart of this replica ends it here.
    Memory,
    /// A place of a newer server.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// The filters that polled, by what they run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HaltedFilters {
    /// They run the empty snapshot.
    pub stopped: usize,
    /// They have not confirmed that yet, and may still inject.
    pub waiting: usize,
}

/// A replica under a halt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HaltedReplica {
    /// The reason why it did not answer; null if it did.
    pub error: Option<String>,
    pub halted: bool,
    /// Its host name, or its address where that is all that is known.
    pub name: String,
}

impl Durable {
    pub const ALL: [Self; 4] = [Self::Pending, Self::Git, Self::Disk, Self::Memory];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Git => "git",
            Self::Disk => "disk",
            Self::Memory => "memory",
            Self::Unknown => "unknown",
        }
    }
}
