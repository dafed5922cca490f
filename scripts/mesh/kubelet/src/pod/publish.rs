//! The status of a Pod in the API server.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, PodStatus};
use k8s_openapi::jiff::Timestamp;
use tokio::sync::watch;
use tracing::warn;

use crate::cluster::{Cluster, is_gone};
use crate::container::state::{All, States};
use crate::spec::facts::Facts;
use crate::status::status;

const RETRY: Duration = Duration::from_secs(1);

/// Writes the status of a Pod whenever it changes.
pub(super) struct Publisher {
    cluster: Cluster,
    states: watch::Receiver<All>,
    pod: watch::Receiver<Arc<Pod>>,
    /// Known once the Pod has a network.
    pub(super) facts: Option<Facts>,
    written: Option<PodStatus>,
}

impl Publisher {
    pub(super) fn new(cluster: Cluster, states: &States, pod: watch::Receiver<Arc<Pod>>) -> Self {
        Self { cluster, states: states.subscribe(), pod, facts: None, written: None }
    }

    /// Writes for ever.
    pub(super) async fn follow(&mut self) -> Infallible {
        loop {
            self.once().await;
            let changed = tokio::select! {
                changed = self.states.changed() => changed,
                changed = self.pod.changed() => changed,
            };
            if changed.is_err() {
                // Nobody changes anything any more.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Writes the status as it is now, unless it is written already.
    pub(super) async fn once(&mut self) {
        loop {
            let pod = self.pod.borrow_and_update().clone();
            let all = self.states.borrow_and_update().clone();
            let status = status(&pod, &all, self.facts.as_ref(), self.written.as_ref(), Timestamp::now());
            if self.written.as_ref() == Some(&status) {
                return;
            }
            match self.cluster.publish(&pod, &status).await {
                Ok(()) => self.written = Some(status),
                Err(error) if is_gone(&error) => return,
                Err(error) => {
                    warn!(pod = pod.metadata.name, %error, "its status cannot be written");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}
