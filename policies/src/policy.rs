//! A policy, in the words of the language, with values that cannot be wrong.

use serde::{Deserialize, Serialize};

use crate::{
    glob::Glob,
    matcher::Matcher,
    name::{HeaderName, PolicyName},
    percentage::Percentage,
};

/// The longest that a request may be held, start delay and delay together, in milliseconds.
pub const MAX_HOLD_MS: u32 = 30_000;

/// The longest body of an abort, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// What faults the requests of some workloads get.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Policy {
    pub name: PolicyName,
    pub selector: Selector,
    pub rules: Vec<Rule>,
}

impl Policy {
    /// Whether it matters when its document got its content.
    pub fn has_duration(&self) -> bool {
        self.rules.iter().any(|rule| rule.fault.duration_seconds > 0)
    }
}

/// The workloads at which a policy injects.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Selector {
    pub service: Glob,
    pub namespace: Glob,
}

/// One kind of request and the fault it gets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rule {
    pub matches: Match,
    pub fault: Fault,
}

/// Conditions on a request; all must hold. None at all: every request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Match {
    pub method: Option<Matcher>,
    pub path: Option<Matcher>,
    pub headers: Vec<HeaderMatch>,
}

/// A condition on one header field's value; a field that is absent does not match.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HeaderMatch {
    pub name: HeaderName,
    pub value: Matcher,
}

/// A delay, an abort, or both: the delay first, then the abort.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fault {
    pub percentage: Percentage,
    /// How long to wait after the request arrived before the fault, in milliseconds.
    pub start_delay_ms: u32,
    /// How long the rule is in force from the policy's start; 0 is without end.
    pub duration_seconds: u32,
    /// How long to delay the request, in milliseconds.
    pub delay_ms: Option<u32>,
    pub abort: Option<Abort>,
}

/// A reply in place of the workload's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Abort {
    pub status: HttpStatus,
    pub body: String,
}

/// A status code that Envoy can give as a local reply: 200 to 599.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct HttpStatus(u16);

/// Why a number is no status to abort with.
#[derive(Debug, thiserror::Error)]
#[error("must be an HTTP status from 200 to 599")]
pub struct HttpStatusError;

impl HttpStatus {
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// Whether a reply of this status carries content (RFC 9110, sections 15.3.5 and 15.4.5).
    pub const fn allows_body(self) -> bool {
        !matches!(self.0, 204 | 304)
    }
}

impl TryFrom<u16> for HttpStatus {
    type Error = HttpStatusError;

    fn try_from(code: u16) -> Result<Self, HttpStatusError> {
        if (200..=599).contains(&code) { Ok(Self(code)) } else { Err(HttpStatusError) }
    }
}

impl From<HttpStatus> for u16 {
    fn from(status: HttpStatus) -> Self {
        status.0
    }
}
