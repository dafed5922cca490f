//! One halt by HTTP.

use std::fmt;

use policies::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{api::time::Time, random_id::random_id};

/// The id of a halt: 1 to 63 of `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HaltId(String);

/// A halt of everything. Nothing of it ever changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Halt {
    // First, so that the order is that in which halts began.
    pub since: Time,
    pub id: HaltId,
    /// The user who halted.
    pub by: String,
    pub reason: String,
}

impl HaltId {
    /// Reads an id.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_id = !text.is_empty() && text.len() <= 63 && text.bytes().all(fits);
        is_id.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Halt {
    /// A halt that begins at `since`, with an id that no other has.
    pub fn new(by: &str, reason: &str, since: Timestamp) -> Self {
        Self { since: since.into(), id: HaltId(random_id()), by: by.to_owned(), reason: reason.to_owned() }
    }
}

impl fmt::Display for HaltId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<HaltId> for String {
    fn from(HaltId(id): HaltId) -> Self {
        id
    }
}

impl TryFrom<String> for HaltId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("is not the id of a halt")
    }
}
