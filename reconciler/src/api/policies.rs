//! `GET /v1/policies` and `GET /v1/policies/{name}`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The header of the answer that has a policy as it was at a commit: the directory of its file, as `folder` of a write
/// names it.
pub const FOLDER: &str = "x-hfi-folder";

/// Policies in the order in which a filter asks them: by priority, then by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Policies {
    pub policies: Vec<Policy>,
}

/// A policy as a document, with its defaults filled in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    pub metadata: Metadata,
    /// As `hfi schema` describes it.
    pub spec: Map<String, Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Metadata {
    /// As it is written; only with `all=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Value>,
    /// As it is written; only with `all=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Value>,
    pub name: String,
    /// As it is written; only with `all=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Value>,
}
