//! The kind `PolicySource`: what `kubectl get policysources` shows. `k8s/base/crd.yaml` is generated from it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, CustomResourceExt as _};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::counts::Counts;

/// The most files, and the most policies, that a status lists.
pub(crate) const MOST_LISTED: usize = 20;
/// The most errors of one file that a status lists.
pub(crate) const MOST_ERRORS: usize = 3;

/// The fields beside `metadata` and `status`: none.
#[expect(clippy::duplicated_attributes, reason = "each column has a type and a path")]
#[derive(Clone, Debug, Default, Serialize, Deserialize, CustomResource, JsonSchema)]
#[kube(
    group = "hfi.dev",
    version = "v1alpha1",
    kind = "PolicySource",
    doc = "The policies that the hfi control plane serves. It writes all of this; there is nothing to set.",
    namespaced,
    no_spec,
    status = "Status",
    category = "hfi",
    printcolumn(name = "Revision", type_ = "string", json_path = ".status.revision"),
    printcolumn(name = "Active", type_ = "integer", json_path = ".status.summary.active"),
    printcolumn(name = "Inactive", type_ = "integer", json_path = ".status.summary.inactive"),
    printcolumn(name = "Rejected", type_ = "integer", json_path = ".status.summary.rejectedFiles"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(
        name = "Source",
        type_ = "string",
        description = "Whether the source can be read",
        json_path = ".status.conditions[?(@.type==\"SourceReachable\")].reason"
    ),
    printcolumn(name = "Last Read", type_ = "date", json_path = ".status.lastReadTime", priority = 1),
    printcolumn(name = "Digest", type_ = "string", json_path = ".status.digest", priority = 1),
    printcolumn(name = "Leader", type_ = "string", json_path = ".status.leader", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
pub(crate) struct Fields {}

/// The policies that are served, and the state of their source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    /// The replica that wrote this.
    pub(crate) leader: String,
    /// The commit that is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revision: Option<String>,
    /// The digest of the snapshot of all policies. Replicas that agree show the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<String>,
    /// Every snapshot is empty because somebody has halted everything.
    pub(crate) halted: bool,
    /// The reason for which nothing is in force: the signer of the commit is no longer trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) withdrawn: Option<String>,
    /// Counts, as in `/v1/policies/status`.
    #[schemars(transform = without_formats)]
    pub(crate) summary: Counts,
    /// The first files that are rejected.
    #[schemars(length(max = MOST_LISTED))]
    pub(crate) rejected: Vec<Rejected>,
    /// The first policies whose namespace does not exist.
    #[schemars(length(max = MOST_LISTED))]
    pub(crate) inactive: Vec<Inactive>,
    /// The first proxies that do not run every plugin of hfi that is for them; with `--proxies`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MOST_LISTED))]
    pub(crate) silent_proxies: Option<Vec<Silent>>,
    /// The time when the source was last read; updated once a minute while nothing else changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub(crate) last_read_time: Option<String>,
    /// Ready, SourceReachable and PoliciesValid.
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub(crate) conditions: Vec<Condition>,
}

/// A file that is rejected, and its first errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Rejected {
    pub(crate) file: String,
    #[schemars(length(max = MOST_ERRORS))]
    pub(crate) errors: Vec<String>,
}

/// A policy whose namespace does not exist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Inactive {
    pub(crate) policy: String,
    pub(crate) reason: String,
}

/// A proxy that does not run every plugin of hfi that is for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Silent {
    /// The pod, as `namespace/name`.
    pub(crate) pod: String,
    /// The plugins that it does not run, as `namespace/name`.
    pub(crate) plugins: Vec<String>,
    #[schemars(extend("format" = "date-time"))]
    pub(crate) since: String,
}

impl Status {
    /// The condition of this type.
    pub(crate) fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.type_ == kind)
    }
}

/// Removes the formats that Kubernetes does not know: `kubectl apply` would warn of each.
fn without_formats(schema: &mut Schema) {
    let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
    for field in fields.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        field.remove("format");
    }
}

/// The definition of the kind, as YAML.
pub fn definition() -> String {
    // Texts and numbers can always be written.
    let definition = serde_yaml::to_string(&PolicySource::crd()).unwrap_or_default();
    format!("# Generated: cargo run -p reconciler --example crd > k8s/base/crd.yaml\n{definition}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_manifest_is_the_definition_of_the_kind() {
        let manifest = include_str!("../../../../k8s/base/crd.yaml");
        assert_eq!(manifest, super::definition(), "its first line says how to generate it");
    }
}
