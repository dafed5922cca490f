//! The loop of the leader: it keeps archives and artifacts as the newest commit wants them.

use std::{collections::BTreeMap, pin::pin, sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};
use tracing::warn;

use super::{
    Settings, WRITE,
    announced::Seen,
    config_maps::ConfigMaps,
    head::Head,
    lookup::Lookup,
    name,
    notices::{Notice, Teller},
    pace::Pace,
    writer::Writer,
};
use crate::{
    istio::{
        archives::Archives,
        plan::{Namespaces, Plan},
    },
    kubernetes::{
        client::{
            call::{Backoff, CallError},
            connection::Connection,
        },
        health::{ClusterTask, SharedHealth},
    },
    planning::{order::Known, planner::Planner, process::Terms},
    serving::publisher::Publisher,
    source::{SourceError, git::CommitLog},
    sync::requests::Syncs,
};

/// The time between two looks; changes in between are taken together.
const SPACING: Duration = Duration::from_secs(1);
/// The time between two looks at the artifacts, which people annotate, and at the ConfigMaps.
const PERIOD: Duration = Duration::from_secs(15);
/// The time that a fetch may take before it is told that everything waits for it.
const FETCH: Duration = Duration::from_secs(30);

/// Keeps archives and artifacts.
pub(in crate::kubernetes) struct Keeper {
    health: Arc<SharedHealth>,
    planner: Planner,
    lookup: Lookup,
    writer: Writer,
    /// The repository was fetched since this replica leads.
    is_fetched: bool,
    notices: watch::Sender<Namespaces<Notice>>,
}

/// The reason why artifacts are not as the newest commit wants them.
#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("the artifacts stay as they are: {0}")]
    Plan(#[from] SourceError),
    #[error("the artifact of namespace {namespace} stays as it is: {reason}")]
    Unread { namespace: String, reason: String },
    #[error("the artifact of namespace {namespace} cannot be kept: {error}")]
    Namespace { namespace: String, error: CallError },
}

impl Keeper {
    /// `tls`: the replicas serve HTTPS.
    pub(in crate::kubernetes) fn new(
        connection: &Connection,
        settings: Settings,
        tls: bool,
        health: Arc<SharedHealth>,
        archives: Arc<Archives>,
        commits: CommitLog,
    ) -> (Self, Teller) {
        let Connection { client, namespace, identity } = connection.clone();
        let (notices, newest) = watch::channel(Namespaces::default());
        let teller = Teller::new(client.clone(), identity, settings.events.clone(), newest);
        let lookup = Lookup::new(client.clone());
        let writer = Writer {
            config_maps: ConfigMaps::new(client.clone(), &settings.namespace),
            client,
            url: settings.url(&namespace, tls),
            own_namespace: namespace,
            archives,
            pace: Pace::default(),
            taken: Namespaces::default(),
            settings,
        };
        let planner = Planner::new(commits, writer.settings.cluster_domain.clone(), Terms::default());
        let keeper = Self { health, planner, lookup, writer, is_fetched: false, notices };
        (keeper, teller)
    }

    /// Runs for ever.
    pub(in crate::kubernetes) async fn run(mut self, publisher: Arc<Publisher>, syncs: Arc<Syncs>) {
        let (mut served, mut leadership) = (publisher.watch(), self.health.watch());
        let mut backoff = Backoff::default();
        loop {
            if !leadership.borrow_and_update().leader {
                self.writer.config_maps.clear();
                self.writer.taken.clear();
                self.planner.forget();
                self.planner.rest();
                self.lookup.forget();
                self.is_fetched = false;
                self.notices.send_replace(Namespaces::default());
                if leadership.wait_for(|leadership| leadership.leader).await.is_err() {
                    return;
                }
            }
            let kept = tokio::select! {
                biased;
                // Another replica may lead by now: what is being done is cancelled.
                _ = leadership.wait_for(|leadership| !leadership.leader) => continue,
                kept = self.keep(&publisher, &syncs) => kept,
            };
            let pause = if kept.is_ok() {
                backoff.reset();
                PERIOD
            } else {
                backoff.next().min(PERIOD)
            };
            self.health.record(ClusterTask::Artifacts, kept.map_err(|error| error.to_string()));
            tokio::time::sleep(SPACING).await;
            tokio::select! {
                _ = served.changed() => {}
                _ = leadership.wait_for(|leadership| !leadership.leader) => {}
                () = tokio::time::sleep(pause) => {}
            }
            self.planner.rest_if_idle();
        }
    }

    /// Brings all namespaces to where the newest commit wants them.
    async fn keep(&mut self, publisher: &Publisher, syncs: &Syncs) -> Result<(), KeepError> {
        let read = self.writer.config_maps.read().await;
        // A part of them may have been read before an error.
        if !matches!(read, Ok(false)) {
            self.planner.forget();
        }
        read?;
        if !self.is_fetched {
            self.fetch(syncs).await;
            self.is_fetched = true;
        }
        let seen = self.writer.seen().await?;
        let mut known = self.writer.config_maps.known().clone();
        // An artifact whose archive is gone: nobody knows what is in force.
        for namespace in seen.iter().filter(|(_, seen)| seen.has_artifact()).map(|(namespace, _)| namespace) {
            let missing = || Err(format!("the ConfigMap {} is gone", name(namespace)));
            known.entry(namespace.clone()).or_insert_with(missing);
        }
        let Some(head) = Head::of(publisher) else { return Ok(()) };
        let mut failed = None;
        let plans = self.plan(&head, &known, &allowed(&seen)).await.unwrap_or_else(|error| {
            let plan = Plan::frozen(format!("the newest commit cannot be planned: {error}"));
            failed = Some(KeepError::Plan(error));
            Arc::new(known.into_keys().map(|namespace| (namespace, plan.clone())).collect())
        });
        let mut notices = BTreeMap::new();
        for (namespace, plan) in &*plans {
            if let Some(reason) = plan.failure.clone() {
                let namespace = namespace.clone();
                failed.get_or_insert(KeepError::Unread { namespace, reason });
            }
            match self.writer.keep(&head, namespace, plan, seen.get(namespace)).await {
                Ok(notice) => {
                    notices.insert(namespace.clone(), notice);
                }
                // One that Kubernetes refuses keeps no other from its artifact.
                Err(error) => {
                    warn!(namespace, %error, "the artifact of a namespace cannot be kept");
                    // A freeze is told of all the same. Otherwise what people know of it stays.
                    let last = self.notices.borrow().get(namespace).cloned();
                    let freeze = self.writer.freeze(&head, namespace, plan, seen.get(namespace));
                    notices.extend(freeze.or(last).map(|notice| (namespace.clone(), notice)));
                    let namespace = namespace.clone();
                    failed.get_or_insert(KeepError::Namespace { namespace, error });
                }
            }
        }
        self.notices.send_if_modified(|known| {
            *known != notices && {
                *known = notices;
                true
            }
        });
        failed.map_or(Ok(()), Err)
    }

    /// The plan for each namespace. It takes over nothing that others have made, unless a document wants that.
    async fn plan(
        &mut self,
        head: &Head,
        known: &Known,
        allowed: &Namespaces<String>,
    ) -> Result<Arc<Namespaces<Plan>>, SourceError> {
        let (mut looked, until) = (Namespaces::new(), Instant::now() + WRITE);
        loop {
            let foreign = self.lookup.foreign();
            let plans = self.planner.plan(&head.newest, known, allowed.clone(), foreign).await?;
            if !self.lookup.look(&plans, &self.writer.config_maps, &mut looked, until).await {
                return Ok(plans);
            }
        }
    }

    /// Fetches: the last leader may have known a newer commit, and no artifact goes back.
    async fn fetch(&self, syncs: &Syncs) {
        let mut synced = pin!(syncs.sync());
        if tokio::time::timeout(FETCH, &mut synced).await.is_err() {
            let reason = "artifacts wait until the repository is fetched: the last leader may have known a newer commit";
            self.health.record(ClusterTask::Artifacts, Err(reason.to_owned()));
            synced.await;
        }
    }
}

/// The commits that people have agreed to, by namespace.
fn allowed(seen: &Namespaces<Seen>) -> Namespaces<String> {
    seen.iter().filter_map(|(name, seen)| Some((name.clone(), seen.allowed.clone()?))).collect()
}
