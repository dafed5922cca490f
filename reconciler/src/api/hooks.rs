//! `POST /v1/hooks/{forge}`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The notification is genuine; the source is read now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notified {
    pub status: NotifiedStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum NotifiedStatus {
    Accepted,
}
