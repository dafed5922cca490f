//! Writes the status of the `PolicySource` and the Events about it, while this replica leads.

use std::{sync::Arc, time::Duration};

use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams},
};
use tokio::time::Instant;

use super::{
    events::{
        diff::changes,
        queue::{self, EventQueue},
    },
    observation::Observation,
    policy_source::{Fields, PolicySource, Status},
};
use crate::kubernetes::{
    NAME,
    client::{
        call::{self, Backoff, CallError, with_timeout},
        connection::Connection,
    },
    health::{ClusterHealth, ClusterTask, SharedHealth},
};
use crate::{serving::publisher::Publisher, sync::requests::Syncs};

/// The time between two reports; changes in between are reported together.
const SPACING: Duration = Duration::from_secs(1);
/// The time between two updates of the time of the last read, while nothing else changes.
const AGE: Duration = Duration::from_secs(60);

/// The writer of the object and of the Events.
pub(crate) struct Reporter {
    sources: Api<PolicySource>,
    events: EventQueue,
    identity: String,
    health: Arc<SharedHealth>,
    /// The object as last read or written; unknown after an error.
    written: Option<Written>,
    /// The status up to which Events are sent or queued.
    announced: Option<Status>,
}

/// The object in the cluster.
struct Written {
    uid: Option<String>,
    status: Status,
    at: Instant,
}

impl Reporter {
    pub(crate) fn new(connection: &Connection, health: Arc<SharedHealth>) -> Self {
        Self {
            sources: Api::namespaced(connection.client.clone(), &connection.namespace),
            events: EventQueue::new(connection, Arc::clone(&health)),
            identity: connection.identity.clone(),
            health,
            written: None,
            announced: None,
        }
    }

    /// Runs for ever.
    pub(crate) async fn run(mut self, publisher: Arc<Publisher>, syncs: Arc<Syncs>) {
        let (mut served, mut progress) = (publisher.watch(), syncs.watch());
        let mut leadership = self.health.watch();
        let mut backoff = Backoff::default();
        loop {
            if !leadership.borrow_and_update().leader {
                // The next leader reads from the cluster what has been announced.
                self.written = None;
                self.announced = None;
                self.events.clear();
                // The sender outlives this task, except at the end of the process.
                if leadership.wait_for(|leadership| leadership.leader).await.is_err() {
                    return;
                }
            }
            let announced = tokio::select! {
                biased;
                // Another replica may lead by now: a report in progress is cancelled.
                _ = leadership.wait_for(|leadership| !leadership.leader) => continue,
                announced = self.report(&publisher, &syncs) => announced,
            };
            let pause = match announced {
                Ok(()) => {
                    backoff.reset();
                    SPACING
                }
                Err(error) => {
                    // The object may have been removed or changed.
                    self.written = None;
                    self.health.record(ClusterTask::Status, Err(error.to_string()));
                    backoff.next()
                }
            };
            tokio::time::sleep(pause).await;
            if self.written.is_some() {
                tokio::select! {
                    _ = served.changed() => {}
                    _ = progress.changed() => {}
                    _ = leadership.changed() => {}
                    () = tokio::time::sleep(if self.events.waits() { queue::RETRY } else { AGE }) => {}
                }
            }
        }
    }

    async fn report(&mut self, publisher: &Arc<Publisher>, syncs: &Arc<Syncs>) -> Result<(), CallError> {
        let (publisher, syncs) = (Arc::clone(publisher), Arc::clone(syncs));
        let ClusterHealth { namespaces, proxies, .. } = self.health.current();
        let observe = move || {
            let observed = Observation::of(&publisher, &syncs, namespaces.as_deref());
            Observation { proxies, ..observed }
        };
        let seen = tokio::task::spawn_blocking(observe).await.unwrap_or_default();
        let written = match self.written.take() {
            Some(written) => written,
            None => self.find().await?,
        };
        let status = Status::new(&seen, &self.identity, Some(&written.status));
        let is_new = !status.says_the_same(&written.status);
        let is_aged = written.at.elapsed() >= AGE && status != written.status;
        if !seen.is_settled() || !(is_new || is_aged) {
            self.written = Some(written);
            return self.events.send().await;
        }
        for change in changes(self.announced.as_ref().unwrap_or(&written.status), &status) {
            self.events.push(change, written.uid.clone());
        }
        self.announced = Some(status.clone());
        // Events first: if the process ends in between, its successor sends them again rather than never.
        self.events.send().await?;
        self.write(&status).await?;
        self.health.record(ClusterTask::Status, Ok(()));
        self.written = Some(Written { status, at: Instant::now(), ..written });
        Ok(())
    }

    /// Reads the object, and creates it if it does not exist.
    async fn find(&self) -> Result<Written, CallError> {
        let found = match with_timeout(call::TIMEOUT, self.sources.get_opt(NAME)).await {
            // Somebody else wrote that status: it is replaced.
            Err(error) if error.is_unreadable() => return self.find_without_status().await,
            found => found?,
        };
        let object = match found {
            Some(object) => object,
            None => {
                let mut object = PolicySource::new(NAME, Fields {});
                object.metadata.labels =
                    Some([("app.kubernetes.io/name".to_owned(), NAME.to_owned())].into());
                let (params, patch) = (apply(), Patch::Apply(object));
                with_timeout(call::TIMEOUT, self.sources.patch(NAME, &params, &patch)).await?
            }
        };
        Ok(Written { uid: object.uid(), status: object.status.unwrap_or_default(), at: Instant::now() })
    }

    async fn find_without_status(&self) -> Result<Written, CallError> {
        let metadata = with_timeout(call::TIMEOUT, self.sources.get_metadata(NAME)).await?;
        Ok(Written { uid: metadata.uid(), status: Status::default(), at: Instant::now() })
    }

    async fn write(&self, status: &Status) -> Result<(), CallError> {
        let object = PolicySource { status: Some(status.clone()), ..PolicySource::new(NAME, Fields {}) };
        let (params, patch) = (apply(), Patch::Apply(object));
        with_timeout(call::TIMEOUT, self.sources.patch_status(NAME, &params, &patch)).await.map(drop)
    }
}

/// Server-side apply: no other writer's fields are touched.
fn apply() -> PatchParams {
    PatchParams::apply("hfi").force()
}
