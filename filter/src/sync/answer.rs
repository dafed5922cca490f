//! Answers of the control plane. An answer is checked before anything in it is used.

use policies::{
    Digest,
    wire::{Format, SnapshotError, poll},
};
use serde::{Deserialize, Serialize};

/// Largest snapshot that the filter loads. Every VM of a proxy compiles it, and requests wait during
/// that time.
pub const MAX_SNAPSHOT_BYTES: usize = 4 * 1024 * 1024;

/// Response to a poll as the host received it, not yet checked.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: Option<String>,
    pub etag: Option<String>,
    /// Header that only the control plane sets. An answer without it can come from a proxy on the way.
    pub revision: Option<String>,
    pub content_type: Option<String>,
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
    /// A new snapshot, in a format that this build knows. Its digest is verified.
    Changed { snapshot: ActiveSnapshot, body: Vec<u8> },
    /// The active snapshot is current, at this revision.
    Unchanged { revision: String },
}

impl Answer {
    /// True for a snapshot without an ETag: a proxy on the way has removed it.
    pub fn lacks_etag(&self) -> bool {
        self.status.as_deref() == Some("200") && self.revision.is_some() && self.etag.is_none()
    }

    /// Checks the answer to a poll that was sent while `active` was in force; `Err` has the reason.
    pub fn outcome(self, active: Option<&ActiveSnapshot>) -> Result<PollOutcome, String> {
        let Self { status, etag, revision, content_type, is_too_large, body } = self;
        let Some(status) = status else {
            return Err("the control plane was not reached".to_owned());
        };
        if status == "406" {
            return Err(format!(
                "the control plane serves none of the formats `{}` (status 406): it is not of the same release as this module, {VERSION}; deploy the module that belongs to it",
                poll::ACCEPT
            ));
        }
        let Some(revision) = revision else {
            return Err(format!(
                "the control plane was not reached or is not ready: status {status}, without the header {}",
                poll::REVISION
            ));
        };
        match status.as_str() {
            "304" if active.is_some() => Ok(PollOutcome::Unchanged { revision }),
            "200" if is_too_large => Err(format!("the snapshot has more than {MAX_SNAPSHOT_BYTES} bytes")),
            "200" => {
                let digest = Digest::of(&body);
                // A proxy that compresses or filters answers weakens an ETag (RFC 9110, section 8.8.1) or removes
                // it. The digest proves a body that its weak ETag names; without one, only its format does.
                let strong = |etag: &str| Digest::from_etag(etag.strip_prefix("W/").unwrap_or(etag));
                if etag.as_deref().is_some_and(|etag| strong(etag) != Some(digest)) {
                    return Err("the digest of the body differs from the ETag".to_owned());
                }
                if active.is_some_and(|active| active.digest == digest) {
                    // A proxy on the way removed `If-None-Match`.
                    return Ok(PollOutcome::Unchanged { revision });
                }
                check_format(&body, content_type.as_deref())?;
                Ok(PollOutcome::Changed { snapshot: ActiveSnapshot { digest, revision }, body })
            }
            status => Err(format!("the control plane answered with status {status}")),
        }
    }
}

const VERSION: &str = concat!("hfi ", env!("CARGO_PKG_VERSION"));

/// Refuses a body whose format this build does not know.
fn check_format(body: &[u8], content_type: Option<&str>) -> Result<(), String> {
    let served = content_type.unwrap_or("no content type");
    match Format::of(body) {
        Ok(_) => Ok(()),
        Err(SnapshotError::Newer(number)) => Err(format!(
            "the control plane served snapshot format {number} ({served}), which this module, {VERSION}, does not know: the control plane is newer; deploy the module that belongs to it"
        )),
        Err(error) => Err(format!("{error} ({served})")),
    }
}
