//! Events that the leading VM writes to the log and counts in the metrics.

use policies::Digest;

use crate::identity::Identity;

/// Event of the filter's life, not of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// This VM leads from now on; `is_first` if no VM of the proxy led before.
    BecameLeader { is_first: bool },
    /// A new snapshot is active.
    Updated { digest: Digest },
    /// A snapshot came without an ETag.
    NoEtag,
    /// A poll failed; `is_new` unless the poll before it failed for the same reason.
    PollFailed { reason: String, is_new: bool },
    /// The control plane was not reached for too long. Injection stops.
    Stale,
    /// The control plane was reached again. Injection resumes.
    Fresh,
}

/// Level of a log message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Error,
    Warn,
    Info,
}

impl Event {
    /// Log message of the event, with the number of policies in force; `None` if it is not logged.
    pub fn message(&self, identity: &Identity, policies: usize) -> Option<(Level, String)> {
        let version = env!("CARGO_PKG_VERSION");
        Some(match self {
            Self::BecameLeader { is_first: false } => return None,
            Self::BecameLeader { is_first: true } => match &identity.warning {
                None => (Level::Info, format!("hfi {version} runs the policies for {}", identity.scope)),
                Some(warning) => (
                    Level::Warn,
                    format!(
                        "hfi {version} does not know the workload of this proxy, so policies that select by an unknown name do not apply: {warning}"
                    ),
                ),
            },
            Self::Updated { digest } => (
                Level::Info,
                format!(
                    "Received config update from control plane: {digest}, {policies} policies in force for this workload"
                ),
            ),
            Self::NoEtag => (
                Level::Warn,
                "the answer has no ETag: a proxy on the way removes it; the snapshot is used anyway"
                    .to_owned(),
            ),
            Self::PollFailed { is_new: false, .. } => return None,
            Self::PollFailed { reason, is_new: true } => (
                Level::Warn,
                format!("poll failed, will retry, the last good policies stay in force: {reason}"),
            ),
            Self::Stale => (
                Level::Warn,
                "injection stopped: the control plane was not reached for max_staleness_seconds".to_owned(),
            ),
            Self::Fresh => (Level::Info, "injection resumed: the control plane was reached again".to_owned()),
        })
    }
}
