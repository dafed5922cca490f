//! `GET /v1/policies/status`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    counts::Summary,
    kubernetes::Kubernetes,
    peers::MissingReplica,
    policy_status::{PolicyStatus, RejectedFile},
    time::Time,
};

/// The query for what a replica knows itself. It waits for no other.
pub const OWN: [(&str, &str); 1] = [("own", "true")];

/// Everything that is served, everything that is not, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The digest of the snapshot of `scope`; while `halted`, of an empty one.
    pub digest: String,
    /// All snapshots are empty because somebody has halted everything. All other fields but `digest` describe the
    /// policies that come back when the halt ends.
    pub halted: bool,
    /// Null without `--kubernetes`.
    pub kubernetes: Option<Kubernetes>,
    /// The replicas that did not answer. Only they know whether a proxy polls them.
    #[serde(default)]
    pub missing: Vec<MissingReplica>,
    #[serde(default)]
    pub policies: Vec<PolicyStatus>,
    /// All files with errors.
    #[serde(default)]
    pub rejected: Vec<RejectedFile>,
    /// The replicas that know what is told of proxies, of all: `1 of 2`; null without `--peers`.
    pub replicas: Option<String>,
    /// `<branch>@sha1:<commit>`, or `dir@sha256:<hex>` of a directory.
    pub revision: String,
    /// The scope whose digest `digest` is: that of all workloads.
    #[serde(default)]
    #[schemars(extend("const" = "namespace=*&service=*"))]
    pub scope: String,
    #[serde(default)]
    pub source: Source,
    #[serde(default)]
    pub summary: Summary,
    /// The reason why no policy is in force, if a signer of the revision lost permission to sign; else null.
    pub withdrawn: Option<String>,
}

/// The last read of the source, and the failures since.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// The seconds since `lastSuccess`, to the millisecond.
    pub age_seconds: Option<f64>,
    /// The failures since `lastSuccess`; null if the source was read the last time.
    pub failing: Option<SourceFailing>,
    /// The last time that the source was read; null if this process never did.
    pub last_success: Option<Time>,
}

/// Failures in a row to read the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceFailing {
    /// The last error.
    pub reason: String,
    /// The first of the failures.
    pub since: Time,
}
