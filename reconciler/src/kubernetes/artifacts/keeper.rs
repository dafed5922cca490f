//! The loop of the leader: it keeps archives and artifacts as the newest commit wants them.

use std::{collections::BTreeMap, pin::pin, sync::Arc, time::Duration};

use kube::{Client, api::Patch};
use serde_json::Value;
use tokio::{sync::watch, time::Instant};
use tracing::{info, warn};

use super::{
    Settings, WRITE,
    announced::{self, Seen, State},
    apply,
    config_maps::ConfigMaps,
    head::Head,
    name,
    notices::{Notice, Teller},
    ours,
    pace::Pace,
};
use crate::{
    istio::{
        archives::Archives,
        plan::{InForce, Namespaces, Plan},
    },
    kubernetes::{
        client::{
            call::{self, Backoff, CallError, with_timeout},
            connection::Connection,
        },
        health::{ClusterTask, SharedHealth},
    },
    planning::{planner::Planner, process::Terms},
    serving::publisher::Publisher,
    source::{SourceError, git::CommitLog},
    sync::requests::Syncs,
    version,
};

/// The time between two looks; changes in between are taken together.
const SPACING: Duration = Duration::from_secs(1);
/// The time between two looks at the artifacts, which people annotate, and at the ConfigMaps.
const PERIOD: Duration = Duration::from_secs(15);
/// The time that a fetch may take before it is told that everything waits for it.
const FETCH: Duration = Duration::from_secs(30);

/// The writer of archives and artifacts.
pub(in crate::kubernetes) struct Keeper {
    client: Client,
    /// The namespace of this replica.
    own_namespace: String,
    settings: Settings,
    url: String,
    health: Arc<SharedHealth>,
    archives: Arc<Archives>,
    planner: Planner,
    config_maps: ConfigMaps,
    /// The repository was fetched since this replica leads.
    is_fetched: bool,
    notices: watch::Sender<Namespaces<Notice>>,
    pace: Pace,
}

/// The reason why artifacts are not as the newest commit wants them.
#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("the artifacts stay as they are: {0}")]
    Plan(#[from] SourceError),
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
        let keeper = Self {
            planner: Planner::new(commits, settings.cluster_domain.clone(), Terms::default()),
            config_maps: ConfigMaps::new(client.clone(), &settings.namespace),
            client,
            url: settings.url(&namespace, tls),
            own_namespace: namespace,
            settings,
            health,
            archives,
            is_fetched: false,
            notices,
            pace: Pace::default(),
        };
        (keeper, teller)
    }

    /// Runs for ever.
    pub(in crate::kubernetes) async fn run(mut self, publisher: Arc<Publisher>, syncs: Arc<Syncs>) {
        let (mut served, mut leadership) = (publisher.watch(), self.health.watch());
        let mut backoff = Backoff::default();
        loop {
            if !leadership.borrow_and_update().leader {
                self.config_maps.clear();
                self.planner.forget();
                self.planner.rest();
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
        let read = self.config_maps.read().await;
        // A part of them may have been read before an error.
        if !matches!(read, Ok(false)) {
            self.planner.forget();
        }
        read?;
        if !self.is_fetched {
            self.fetch(syncs).await;
            self.is_fetched = true;
        }
        let seen = self.seen().await?;
        let mut known = self.config_maps.known().clone();
        // An artifact whose archive is gone: nobody knows what is in force.
        for namespace in seen.iter().filter(|(_, seen)| seen.has_artifact()).map(|(namespace, _)| namespace) {
            let missing = || Err(format!("the ConfigMap {} is gone", name(namespace)));
            known.entry(namespace.clone()).or_insert_with(missing);
        }
        let Some(head) = Head::of(publisher) else { return Ok(()) };
        let mut failed = None;
        let plans = self.planner.plan(&head.newest, &known, allowed(&seen)).await.unwrap_or_else(|error| {
            let plan = Plan::frozen(format!("the newest commit cannot be planned: {error}"));
            failed = Some(KeepError::Plan(error));
            Arc::new(known.into_keys().map(|namespace| (namespace, plan.clone())).collect())
        });
        let mut notices = BTreeMap::new();
        for (namespace, plan) in &*plans {
            match self.keep_one(&head, namespace, plan, seen.get(namespace)).await {
                Ok(notice) => {
                    notices.insert(namespace.clone(), notice);
                }
                // One that Kubernetes refuses keeps no other from its artifact.
                Err(error) => {
                    warn!(namespace, %error, "the artifact of a namespace cannot be kept");
                    // What people know of it stays.
                    notices.extend(
                        self.notices
                            .borrow()
                            .get_key_value(namespace)
                            .map(|(key, last)| (key.clone(), last.clone())),
                    );
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

    /// Fetches: the last leader may have known a newer commit, and no artifact goes back.
    async fn fetch(&self, syncs: &Syncs) {
        let mut synced = pin!(syncs.sync());
        if tokio::time::timeout(FETCH, &mut synced).await.is_err() {
            let reason = "artifacts wait until the repository is fetched: the last leader may have known a newer commit";
            self.health.record(ClusterTask::Artifacts, Err(reason.to_owned()));
            synced.await;
        }
    }

    /// Writes what a namespace lacks.
    async fn keep_one(
        &mut self,
        head: &Head,
        namespace: &str,
        plan: &Plan,
        seen: Option<&Seen>,
    ) -> Result<Notice, CallError> {
        let known = self.config_maps.in_force(namespace).cloned();
        let other = plan.next.as_ref().filter(|next| known.as_ref() != Some(next));
        let waits = other.is_some_and(|next| !self.may_move(namespace, known.as_ref(), next));
        if let Some(next) = other.filter(|_| !waits) {
            self.store(namespace, next).await?;
        } else if let Some(known) = known.filter(|_| self.config_maps.lacks(namespace)) {
            warn!(namespace, "somebody has deleted the ConfigMap of an artifact; it is put back");
            self.store(namespace, &known).await?;
        }
        let known = self.config_maps.in_force(namespace);
        let state = state(plan, known, waits);
        let place = self.settings.place(namespace).to_owned();
        let unseen = Seen::default();
        let announced = known.map(|known| (namespace, known));
        let status = seen.unwrap_or(&unseen).status(&self.url, head.branch(), announced, &state);
        let uid = match seen {
            Some(seen) => seen.uid.clone(),
            None => self.announce(namespace, &place).await?,
        };
        if let Some(status) = status {
            self.patch_status(namespace, &place, &status).await?;
        }
        Ok(Notice { place, uid, revision: head.revision().to_owned(), state })
    }

    /// True if a namespace may move now: what a release moves has to wait for its turn.
    fn may_move(&mut self, namespace: &str, known: Option<&InForce>, next: &InForce) -> bool {
        let is_of_release =
            known.is_some_and(|known| known.renderer != next.renderer && known.artifact != next.artifact);
        if !is_of_release {
            return true;
        }
        let may_move = self.pace.take(Instant::now());
        if may_move {
            info!(
                namespace,
                version = version::text(),
                from = known.map(|known| known.renderer.as_str()),
                "an artifact of another version of hfi moves"
            );
        }
        may_move
    }

    /// All artifacts of the cluster.
    async fn seen(&self) -> Result<BTreeMap<String, Seen>, CallError> {
        let place = (!self.settings.in_tenants).then_some(self.settings.namespace.as_str());
        let found = with_timeout(WRITE, announced::api(&self.client, place).list(&ours())).await?;
        Ok(found.items.iter().filter_map(|object| Seen::of(object, &self.settings)).collect())
    }

    /// Writes an archive, and serves it.
    async fn store(&mut self, namespace: &str, next: &InForce) -> Result<(), CallError> {
        self.config_maps.write(namespace, next).await?;
        self.archives.put(namespace, next.artifact.clone());
        info!(namespace, commit = next.commit.id, digest = %next.artifact.digest, "an archive is written");
        Ok(())
    }

    /// Writes the object of an artifact, and returns its uid.
    async fn announce(&self, namespace: &str, place: &str) -> Result<Option<String>, CallError> {
        let objects = announced::api(&self.client, Some(place));
        let (name, patch) =
            (name(namespace), Patch::Apply(announced::object(namespace, place, &self.own_namespace)));
        let object = with_timeout(call::TIMEOUT, objects.patch(&name, &apply(), &patch)).await?;
        Ok(object.metadata.uid)
    }

    async fn patch_status(&self, namespace: &str, place: &str, status: &Value) -> Result<(), CallError> {
        let objects = announced::api(&self.client, Some(place));
        let (name, patch) = (name(namespace), Patch::Apply(announced::with_status(namespace, place, status)));
        with_timeout(call::TIMEOUT, objects.patch_status(&name, &apply(), &patch)).await.map(drop)
    }
}

/// The commits that people have agreed to, by namespace.
fn allowed(seen: &Namespaces<Seen>) -> Namespaces<String> {
    seen.iter().filter_map(|(name, seen)| Some((name.clone(), seen.allowed.clone()?))).collect()
}

/// The state of a namespace, for people. `waits`: it has to wait for its turn.
fn state(plan: &Plan, known: Option<&InForce>, waits: bool) -> State {
    let commit = known.map_or("nothing", |known| known.commit.short());
    let message = if plan.frozen.is_empty() {
        let objects = known.map_or(0, |known| known.objects);
        format!("{objects} objects of {} applications, since {commit}", plan.current)
    } else {
        let frozen = plan.frozen.iter().map(|(name, reason)| format!("{name} at {commit} ({reason})"));
        let frozen: Vec<_> = frozen.collect();
        format!("frozen: {}, {} others current", frozen.join(", "), plan.current)
    };
    let wait = "a release of hfi renders this namespace in another way, and it waits for its turn";
    let next = plan.advice.iter().map(String::as_str).chain(waits.then_some(wait));
    let message = next.fold(message, |message, next| format!("{message}; {next}"));
    State { frozen: plan.frozen.clone(), message }
}
