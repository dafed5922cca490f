//! `/v1/peer/…`: what replicas tell each other.

use std::fmt;

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, SeqAccess, Visitor},
};

/// The request header with the SHA-256 of the id of the replica that asks, as `sha256:…`. Whoever finds its own there
/// tells no more than that. Only the replica itself knows the id: who repeats what was sent is not taken for it.
pub const REPLICA: &str = "x-hfi-replica";

/// The most filters of an answer. A replica remembers fewer.
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
    #[serde(deserialize_with = "bounded")]
    pub filters: Vec<PeerFilter>,
    /// The milliseconds for which the replica has listened to polls.
    pub listening_millis: u64,
}

/// The last poll of a filter. What it runs is for the reader to judge, who may know a newer commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PeerFilter {
    /// The digest of the snapshot that it runs; null if it runs none.
    pub digest: Option<String>,
    /// The number of the format of that snapshot.
    pub format: u8,
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

/// Reads no more filters than there may be: an empty one takes 3 bytes in an answer, and many times that in memory.
fn bounded<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Vec<PeerFilter>, D::Error> {
    struct Bounded;
    impl<'d> Visitor<'d> for Bounded {
        type Value = Vec<PeerFilter>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {MAX_TOLD} filters")
        }

        fn visit_seq<A: SeqAccess<'d>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
            let mut filters = Vec::new();
            while let Some(filter) = sequence.next_element()? {
                if filters.len() == MAX_TOLD {
                    return Err(A::Error::custom(format_args!("it tells more than {MAX_TOLD} filters")));
                }
                filters.push(filter);
            }
            Ok(filters)
        }
    }
    deserializer.deserialize_seq(Bounded)
}
