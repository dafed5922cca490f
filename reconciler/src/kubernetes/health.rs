//! What this replica knows of its cluster, and how it gets on with the API server.

use std::{collections::BTreeMap, sync::Arc};

use policies::Timestamp;
use tokio::sync::watch;
use tracing::{info, warn};

pub use crate::api::kubernetes::Duty;

use crate::{clock::now, serving::namespaces::Namespaces};

/// Written by the tasks of this folder, read by whoever wants to know. Nobody waits for it.
#[derive(Debug, Default)]
pub struct Cluster(watch::Sender<View>);

#[derive(Clone, Debug, Default)]
pub struct View {
    /// Those that were there when the cluster was last heard of; none before it was.
    pub namespaces: Option<Arc<Namespaces>>,
    /// This replica does what only one may do.
    pub leader: bool,
    /// The replica that does.
    pub holder: Option<String>,
    /// What the API server does not do for us, and why.
    pub failing: BTreeMap<Duty, Failing>,
}

#[derive(Clone, Debug)]
pub struct Failing {
    pub since: Timestamp,
    /// Why, the last time.
    pub reason: String,
}

impl Cluster {
    /// What is known now.
    pub fn view(&self) -> View {
        self.0.borrow().clone()
    }

    pub fn namespaces(&self) -> Option<Arc<Namespaces>> {
        self.0.borrow().namespaces.clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<View> {
        self.0.subscribe()
    }

    pub(crate) fn there_are(&self, namespaces: Namespaces) {
        self.0.send_if_modified(|view| {
            let is_new = view.namespaces.as_deref() != Some(&namespaces);
            view.namespaces = Some(Arc::new(namespaces));
            is_new
        });
    }

    /// Whether this replica leads, and who holds the Lease.
    pub(crate) fn elected(&self, leader: bool, holder: Option<String>) {
        self.0.send_if_modified(|view| {
            if view.leader != leader {
                info!(leader, holder, "{}", if leader { "leading now" } else { "no longer leading" });
            }
            if !leader {
                // That is for somebody else to do now.
                view.failing.retain(|duty, _| !is_leaders(*duty));
            }
            let is_new = (view.leader, &view.holder) != (leader, &holder);
            (view.leader, view.holder) = (leader, holder);
            is_new
        });
    }

    /// How it went with the API server. Said once each time that it changes.
    pub(crate) fn went(&self, duty: Duty, result: Result<(), String>) {
        self.0.send_if_modified(|view| match result {
            Ok(()) => match view.failing.remove(&duty) {
                Some(_) => {
                    info!(%duty, "the API server does its part again");
                    true
                }
                None => false,
            },
            // The answer came after another one had begun to lead.
            Err(_) if is_leaders(duty) && !view.leader => false,
            Err(reason) => {
                let known = view.failing.get(&duty).map(|failing| failing.since);
                if known.is_none() {
                    warn!(%duty, reason, "the API server does not do its part; all else goes on");
                }
                view.failing.insert(duty, Failing { since: known.unwrap_or_else(now), reason });
                known.is_none()
            }
        });
    }
}

impl View {
    /// Whether the API server is known to do all that is asked of it.
    pub fn is_connected(&self) -> bool {
        self.failing.is_empty() && self.namespaces.is_some() && self.holder.is_some()
    }
}

/// Only the leader has these duties.
fn is_leaders(duty: Duty) -> bool {
    matches!(duty, Duty::Status | Duty::Events)
}
