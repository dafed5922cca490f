//! What this replica knows of its cluster, and how it gets on with the API server.

use std::{collections::BTreeMap, sync::Arc};

use policies::Timestamp;
use tokio::sync::watch;
use tracing::{info, warn};

pub use crate::api::kubernetes::ClusterTask;

use crate::{clock::now, serving::namespaces::Namespaces};

/// Written by the tasks of this folder, read by whoever wants to know. Nobody waits for it.
#[derive(Debug, Default)]
pub struct SharedHealth(watch::Sender<ClusterHealth>);

#[derive(Clone, Debug, Default)]
pub struct ClusterHealth {
    /// Those that were there when the cluster was last heard of; none before it was.
    pub namespaces: Option<Arc<Namespaces>>,
    /// This replica does what only one may do.
    pub leader: bool,
    /// The replica that does.
    pub holder: Option<String>,
    /// What the API server does not do for us, and why.
    pub failing: BTreeMap<ClusterTask, TaskFailure>,
}

#[derive(Clone, Debug)]
pub struct TaskFailure {
    pub since: Timestamp,
    /// Why, the last time.
    pub reason: String,
}

impl SharedHealth {
    /// What is known now.
    pub fn current(&self) -> ClusterHealth {
        self.0.borrow().clone()
    }

    pub fn namespaces(&self) -> Option<Arc<Namespaces>> {
        self.0.borrow().namespaces.clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<ClusterHealth> {
        self.0.subscribe()
    }

    pub(crate) fn set_namespaces(&self, namespaces: Namespaces) {
        self.0.send_if_modified(|health| {
            let is_new = health.namespaces.as_deref() != Some(&namespaces);
            health.namespaces = Some(Arc::new(namespaces));
            is_new
        });
    }

    /// Whether this replica leads, and who holds the Lease.
    pub(crate) fn set_leader(&self, leader: bool, holder: Option<String>) {
        self.0.send_if_modified(|health| {
            if health.leader != leader {
                info!(leader, holder, "{}", if leader { "leading now" } else { "no longer leading" });
            }
            if !leader {
                // That is for somebody else to do now.
                health.failing.retain(|task, _| !is_leader_only(*task));
            }
            let is_new = (health.leader, &health.holder) != (leader, &holder);
            (health.leader, health.holder) = (leader, holder);
            is_new
        });
    }

    /// How it went with the API server. Said once each time that it changes.
    pub(crate) fn record(&self, task: ClusterTask, result: Result<(), String>) {
        self.0.send_if_modified(|health| match result {
            Ok(()) => match health.failing.remove(&task) {
                Some(_) => {
                    info!(%task, "the API server does its part again");
                    true
                }
                None => false,
            },
            // The answer came after another one had begun to lead.
            Err(_) if is_leader_only(task) && !health.leader => false,
            Err(reason) => {
                let known = health.failing.get(&task).map(|failing| failing.since);
                if known.is_none() {
                    warn!(%task, reason, "the API server does not do its part; all else goes on");
                }
                health.failing.insert(task, TaskFailure { since: known.unwrap_or_else(now), reason });
                known.is_none()
            }
        });
    }
}

impl ClusterHealth {
    /// Whether the API server is known to do all that is asked of it.
    pub fn is_connected(&self) -> bool {
        self.failing.is_empty() && self.namespaces.is_some() && self.holder.is_some()
    }
}

/// Only the leader has these duties.
fn is_leader_only(task: ClusterTask) -> bool {
    matches!(task, ClusterTask::Status | ClusterTask::Events)
}
