//! `GET /v1/ready`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// There is something to serve: how old it is, and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ready {
    /// All snapshots are empty because somebody has halted everything.
    pub halted: bool,
    /// The policies are those that an earlier process left; this one has not read the source yet.
    #[serde(default)]
    pub restored: bool,
    /// `<branch>@sha1:<commit>`, or `dir@sha256:<hex>` of a directory.
    pub revision: String,
    /// The seconds since the source was last read, to the millisecond; null if this process never did.
    pub source_age_seconds: Option<f64>,
    /// The last error; null if the source was read the last time.
    pub source_error: Option<SourceError>,
    pub status: ReadyStatus,
    /// The reason why no policy is in force, if a signer of the revision lost permission to sign; else null.
    pub withdrawn: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum ReadyStatus {
    Ready,
}

/// An error of the source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceError {
    /// The seconds since it happened, to the millisecond.
    pub age_seconds: f64,
    pub message: String,
}
