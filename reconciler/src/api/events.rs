//! `GET /v1/events`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::counts::Counts;

/// The data of an event `snapshot`: another snapshot is served from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The digest of the snapshot of all workloads.
    pub digest: String,
    /// All snapshots are empty because somebody has halted everything.
    pub halted: bool,
    /// `<branch>@sha1:<commit>`, or `dir@sha256:<hex>` of a directory.
    pub revision: String,
    #[serde(default)]
    pub summary: Counts,
    /// The reason why no policy is in force, if a signer of the revision lost permission to sign; else null.
    pub withdrawn: Option<String>,
}
