//! The namespaces and the leader, as this replica knows them, and the calls that fail.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use policies::Timestamp;
use tokio::sync::watch;
use tracing::{info, warn};

pub use crate::api::kubernetes::ClusterTask;

use crate::{
    api::kubernetes::{Proxies, SilentProxy},
    clock::now,
    fleet::gathered::Gathered,
    serving::namespaces::Namespaces,
};

/// The time for which proxies are told of that cannot be looked at now.
const MEMORY: Duration = Duration::from_secs(10 * 60);

/// The health of the cluster, written by the tasks of this room. Nobody waits for it.
#[derive(Debug, Default)]
pub struct SharedHealth(watch::Sender<ClusterHealth>);

#[derive(Clone, Debug, Default)]
pub struct ClusterHealth {
    /// The namespaces as last known; absent before the first answer.
    pub namespaces: Option<Arc<Namespaces>>,
    /// This replica holds the Lease.
    pub leader: bool,
    /// The replica that holds the Lease, if known.
    pub holder: Option<String>,
    /// The tasks that fail.
    pub failing: BTreeMap<ClusterTask, TaskFailure>,
    /// The filters that all replicas hear; absent while one of them cannot be asked.
    pub gathered: Option<Arc<Gathered>>,
    /// The proxies that should run the filter, as last known; absent before the first answer, or if another replica
    /// looks.
    pub proxies: Option<Arc<Proxies>>,
    /// The pods whose proxy has ended, as `POD.NAMESPACE`, with the time since which that is known, the last ones first;
    /// none if another replica looks.
    pub ended: Arc<[(String, Timestamp)]>,
}

/// A task that fails.
#[derive(Clone, Debug)]
pub struct TaskFailure {
    /// The first of the failures in a row.
    pub since: Timestamp,
    /// The last error.
    pub reason: String,
}

impl ClusterHealth {
    /// The pods whose proxy should run the filter and does not, as `POD.NAMESPACE`, where this replica looks for them.
    pub fn silent_pods(&self) -> impl Iterator<Item = String> {
        let silent = self.proxies.iter().flat_map(|proxies| &proxies.silent);
        silent.map(|SilentProxy { namespace, pod, .. }| format!("{pod}.{namespace}"))
    }

    /// True if no other replica runs than this one, which listens since then, as far as the cluster tells. The only one
    /// leads: one that does not lead knows of another. And it is the one that answers: one that is not ready does not.
    pub fn is_only_replica(&self, since: Timestamp) -> bool {
        let is_it = |gathered: &Arc<Gathered>| gathered.replicas == 1 && gathered.since == since;
        self.leader && self.gathered.as_ref().is_some_and(is_it)
    }
}

impl SharedHealth {
    /// The present state.
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

    /// Records what all replicas hear. Nobody needs to be woken by it.
    pub(crate) fn set_gathered(&self, gathered: Option<Gathered>) {
        self.0.send_if_modified(|health| {
            health.gathered = gathered.map(Arc::new);
            false
        });
    }

    /// Records the proxies that should run the filter, as long as this replica leads.
    pub(crate) fn set_proxies(&self, proxies: Option<Proxies>) {
        self.0.send_if_modified(|health| {
            let proxies = proxies.filter(|_| health.leader).map(Arc::new);
            let silent = |proxies: &Option<Arc<Proxies>>| proxies.as_ref().map(|known| known.silent.clone());
            let is_new = silent(&health.proxies) != silent(&proxies);
            health.proxies = proxies;
            is_new
        });
    }

    /// Records the pods whose proxy has ended, as long as this replica leads. Nobody needs to be woken by it.
    pub(crate) fn set_ended(&self, ended: Vec<(String, Timestamp)>) {
        self.0.send_if_modified(|health| {
            health.ended = if health.leader { ended.into() } else { Arc::default() };
            false
        });
    }

    /// Keeps the proxies as they were known last, and says since when, for [`MEMORY`].
    pub(crate) fn keep_proxies(&self, now: Timestamp) {
        self.0.send_if_modified(|health| {
            let Some(known) = &health.proxies else { return false };
            let since = known.stale_since.map_or(now, |since| since.0);
            let is_over = now.millis_since(since) > MEMORY.as_millis() as u64;
            let stale = || Arc::new(Proxies { stale_since: Some(since.into()), ..Proxies::clone(known) });
            health.proxies = (!is_over).then(stale);
            is_over
        });
    }

    /// Records whether this replica leads, and the holder of the Lease.
    pub(crate) fn set_leader(&self, leader: bool, holder: Option<String>) {
        self.0.send_if_modified(|health| {
            if health.leader != leader {
                info!(leader, holder, "{}", if leader { "leading now" } else { "no longer leading" });
            }
            if !leader {
                // Another replica has these tasks now.
                health.failing.retain(|task, _| !is_leader_only(*task));
                health.proxies = None;
                health.ended = Arc::default();
            }
            let is_new = (health.leader, &health.holder) != (leader, &holder);
            (health.leader, health.holder) = (leader, holder);
            is_new
        });
    }

    /// Records the result of a task. A change is logged, a repetition is not.
    pub(crate) fn record(&self, task: ClusterTask, result: Result<(), String>) {
        self.0.send_if_modified(|health| match result {
            Ok(()) => match health.failing.remove(&task) {
                Some(_) => {
                    info!(duty = %task, "the API server works for this task again");
                    true
                }
                None => false,
            },
            // The answer came after this replica had stopped leading.
            Err(_) if is_leader_only(task) && !health.leader => false,
            Err(reason) => {
                let known = health.failing.get(&task).map(|failing| failing.since);
                if known.is_none() {
                    warn!(duty = %task, reason, "the API server fails at this task; everything else goes on");
                }
                health.failing.insert(task, TaskFailure { since: known.unwrap_or_else(now), reason });
                known.is_none()
            }
        });
    }
}

impl ClusterHealth {
    /// No task fails that the API server has a part in, and namespaces and leader are known.
    pub fn is_connected(&self) -> bool {
        let mut failing = self.failing.keys();
        failing.all(|task| *task == ClusterTask::Replicas)
            && self.namespaces.is_some()
            && self.holder.is_some()
    }
}

/// Only the leader has these tasks.
fn is_leader_only(task: ClusterTask) -> bool {
    use ClusterTask::{Artifacts, Events, Healing, Proxies, Status};
    matches!(task, Status | Events | Proxies | Healing | Artifacts)
}

#[cfg(test)]
mod tests {
    use policies::Timestamp;

    use super::SharedHealth;
    use crate::api::kubernetes::Proxies;

    #[test]
    fn proxies_that_cannot_be_looked_at_are_told_of_for_ten_minutes_more() {
        let at = |minute: u64| Timestamp::from_millis(minute * 60_000);
        let health = SharedHealth::default();
        let stale_since = |minute| {
            health.keep_proxies(at(minute));
            health.current().proxies.map(|known| (known.covered, known.stale_since.unwrap().0))
        };
        assert_eq!(stale_since(1), None, "nothing was ever known");
        health.set_leader(true, None);
        health.set_proxies(Some(Proxies { covered: 7, ..Proxies::default() }));
        assert_eq!(stale_since(2), Some((7, at(2))));
        assert_eq!(stale_since(12), Some((7, at(2))));
        health.set_proxies(Some(Proxies { covered: 8, ..Proxies::default() }));
        assert_eq!(health.current().proxies.unwrap().stale_since, None);
        assert_eq!(stale_since(20), Some((8, at(20))), "it was known again in between");
        assert_eq!(stale_since(31), None);
    }
}
