//! What the leader tells of, in the log and the metrics.

use policies::Digest;

use crate::identity::Identity;

/// Something that has happened.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// This VM leads from now on; `is_first` of all VMs that ever did.
    Led { is_first: bool },
    /// A new snapshot is in force.
    Updated { digest: Digest },
    /// A poll failed, for a reason that is new or for the same as the one before.
    Failed { reason: String, is_new: bool },
    /// The control plane has not been heard of for too long: nothing is injected any more.
    Stale,
    /// It has been heard of again.
    Fresh,
}

/// How loud a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Error,
    Warn,
    Info,
}

impl Event {
    /// What is to be logged; `policies` are in force.
    pub fn message(&self, identity: &Identity, policies: usize) -> Option<(Level, String)> {
        let version = env!("CARGO_PKG_VERSION");
        Some(match self {
            Self::Led { is_first: false } => return None,
            Self::Led { .. } => match &identity.warning {
                None => (Level::Info, format!("hfi {version} for {}", identity.workload)),
                Some(warning) => (
                    Level::Warn,
                    format!(
                        "hfi {version} does not know this proxy's workload, so only policies that do not ask for what is missing apply: {warning}"
                    ),
                ),
            },
            Self::Updated { digest } => (
                Level::Info,
                format!(
                    "Received config update from control plane: {digest}, {policies} policies in force for this workload"
                ),
            ),
            Self::Failed { is_new: false, .. } => return None,
            Self::Failed { reason, .. } => {
                (Level::Warn, format!("what is in force stays in force: {reason}; retrying"))
            }
            Self::Stale => (
                Level::Warn,
                "stopped injecting: the control plane has not been heard of for max_staleness_seconds"
                    .to_owned(),
            ),
            Self::Fresh => (Level::Info, "the control plane is heard of again".to_owned()),
        })
    }
}
