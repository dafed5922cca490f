//! Answers of the control plane. An answer is checked before anything in it is used.

use policies::Digest;
use serde::{Deserialize, Serialize};

/// Response header that only the control plane sets. An answer without it comes from a proxy on the way.
pub const REVISION: &str = "x-hfi-revision";

/// Largest snapshot that the filter loads. Every VM of a proxy compiles it, and requests wait during
/// that time.
pub const MAX_SNAPSHOT_BYTES: usize = 4 * 1024 * 1024;

/// Response to a poll as the host received it, not yet checked.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: Option<String>,
    pub etag: Option<String>,
    pub revision: Option<String>,
    /// Set when the body has more than [`MAX_SNAPSHOT_BYTES`]; `body` is then empty.
    pub is_too_large: bool,
    pub body: Vec<u8>,
}

/// Identity of the snapshot from which the running program was compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveSnapshot {
    pub digest: Digest,
    pub revision: String,
}

/// Meaning of a valid answer.
#[derive(Debug, PartialEq, Eq)]
pub enum PollOutcome {
    /// A new snapshot. Its digest is verified.
    Changed { snapshot: ActiveSnapshot, body: Vec<u8> },
    /// The active snapshot is current, at this revision.
    Unchanged { revision: String },
}

impl Answer {
    /// Checks the answer to a poll that was sent while `active` was in force; `Err` has the reason.
    pub fn outcome(self, active: Option<&ActiveSnapshot>) -> Result<PollOutcome, String> {
        let Some(revision) = self.revision else {
            let status = self.status.as_deref().unwrap_or("no status");
            return Err(format!("the control plane was not reached ({status})"));
        };
        match self.status.as_deref() {
            Some("304") if active.is_some() => Ok(PollOutcome::Unchanged { revision }),
            Some("200") if self.is_too_large => {
                Err(format!("the snapshot has more than {MAX_SNAPSHOT_BYTES} bytes"))
            }
            Some("200") => {
                let digest = Digest::of(&self.body);
                if self.etag.as_deref().and_then(Digest::from_etag) != Some(digest) {
                    return Err("the digest of the body differs from the ETag".to_owned());
                }
                if active.is_some_and(|active| active.digest == digest) {
                    // A proxy on the way removed `If-None-Match`.
                    return Ok(PollOutcome::Unchanged { revision });
                }
                Ok(PollOutcome::Changed { snapshot: ActiveSnapshot { digest, revision }, body: self.body })
            }
            status => Err(format!("the control plane answered {}", status.unwrap_or("without a status"))),
        }
    }
}
