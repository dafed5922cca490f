//! Errors of every resource.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::writes::BodyError;

/// A problem document (RFC 9457) of the type `about:blank`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// The commit of a write whose outcome is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The cause, in one sentence.
    #[serde(default)]
    pub detail: String,
    /// The mistakes in the body of the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<BodyError>,
    /// `unknown` for a write that may have been done: the same request again tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The id of the write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The status code of the response.
    #[schemars(range(min = 400, max = 599))]
    pub status: u16,
    /// The reason phrase of the status code.
    #[serde(default)]
    pub title: String,
}
