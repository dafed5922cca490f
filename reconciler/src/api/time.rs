//! Times as RFC 3339 has them.

use policies::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A time, written in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, description = "", extend("format" = "date-time"))]
pub struct Time(pub Timestamp);

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl From<Time> for String {
    fn from(Time(time): Time) -> Self {
        time.to_rfc3339()
    }
}

impl TryFrom<String> for Time {
    type Error = policies::language::TimestampError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Timestamp::parse(&text).map(Self)
    }
}
