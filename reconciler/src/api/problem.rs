//! Errors of every resource.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A problem document (RFC 9457) of the type `about:blank`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// The cause, in one sentence.
    #[serde(default)]
    pub detail: String,
    /// The status code of the response.
    #[schemars(range(min = 400, max = 599))]
    pub status: u16,
    /// The reason phrase of the status code.
    #[serde(default)]
    pub title: String,
}
