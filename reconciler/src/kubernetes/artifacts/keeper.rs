//! The loop of the leader: it keeps archives and artifacts as the newest commit wants them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::Value;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{
    FIELD_MANAGER, MANAGER, Settings,
    announced::{self, Seen, State},
    name,
    notices::{Notices, Subject},
    pace::Pace,
    planning::{Head, Known, Planner},
    stored,
};
use crate::{
    istio::{
        archives::Archives,
        plan::{InForce, Plan},
    },
    kubernetes::{
        client::{
            call::{self, Backoff, CallError, with_timeout},
            connection::Connection,
        },
        health::{ClusterTask, SharedHealth},
    },
    serving::publisher::Publisher,
    source::git::CommitLog,
    sync::requests::Syncs,
    version,
};

/// The time between two looks; changes in between are taken together.
const SPACING: Duration = Duration::from_secs(1);
/// The time between two looks at the artifacts, which people annotate.
const PERIOD: Duration = Duration::from_secs(15);
/// The longest time to write an archive.
const WRITE: Duration = Duration::from_secs(15);

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
    notices: Notices,
    pace: Pace,
    /// What is in force, as last read or written; unknown after an error.
    known: Option<Known>,
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
    ) -> Self {
        let Connection { client, namespace, identity } = connection.clone();
        Self {
            planner: Planner::new(commits, settings.cluster_domain.clone()),
            notices: Notices::new(client.clone(), identity, settings.events.clone()),
            client,
            url: settings.url(&namespace, tls),
            own_namespace: namespace,
            settings,
            health,
            archives,
            pace: Pace::default(),
            known: None,
        }
    }

    /// Runs for ever.
    pub(in crate::kubernetes) async fn run(mut self, publisher: Arc<Publisher>, syncs: Arc<Syncs>) {
        let (mut served, mut leadership) = (publisher.watch(), self.health.watch());
        let mut backoff = Backoff::default();
        loop {
            if !leadership.borrow_and_update().leader {
                self.known = None;
                self.notices.clear();
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
            match kept {
                Ok(()) => {
                    backoff.reset();
                    self.health.record(ClusterTask::Artifacts, Ok(()));
                    tokio::time::sleep(SPACING).await;
                    tokio::select! {
                        _ = served.changed() => {}
                        _ = leadership.wait_for(|leadership| !leadership.leader) => {}
                        () = tokio::time::sleep(PERIOD) => {}
                    }
                }
                Err(error) => {
                    self.known = None;
                    self.health.record(ClusterTask::Artifacts, Err(error.to_string()));
                    tokio::time::sleep(backoff.next()).await;
                }
            }
        }
    }

    /// Brings all namespaces to where the newest commit wants them.
    async fn keep(&mut self, publisher: &Publisher, syncs: &Syncs) -> Result<(), CallError> {
        let mut known = match self.known.take() {
            Some(known) => known,
            None => {
                let stored = self.stored().await?;
                self.planner.forget();
                // The last leader may have known a newer commit: no artifact goes back.
                syncs.sync().await;
                stored
            }
        };
        let seen = self.seen().await?;
        // An artifact whose archive is gone: nobody knows what is in force.
        for namespace in seen.iter().filter(|(_, seen)| seen.has_artifact()).map(|(namespace, _)| namespace) {
            let missing = || Err(format!("the ConfigMap {} is gone", name(namespace)));
            known.entry(namespace.clone()).or_insert_with(missing);
        }
        if let Some(head) = Head::of(publisher) {
            match self.planner.plan(&head, &known, &seen).await {
                Ok(plans) => {
                    let mut failed = None;
                    for (namespace, plan) in &*plans {
                        let kept =
                            self.keep_one(&head, namespace, plan, &mut known, seen.get(namespace)).await;
                        // One that Kubernetes refuses keeps no other from its artifact.
                        if let Err(error) = kept {
                            warn!(namespace, %error, "the artifact of a namespace cannot be kept");
                            failed.get_or_insert(error);
                        }
                    }
                    if let Some(error) = failed {
                        return Err(error);
                    }
                }
                Err(error) => warn!(%error, "artifacts stay as they are"),
            }
        }
        self.known = Some(known);
        Ok(())
    }

    /// Writes what a namespace lacks.
    async fn keep_one(
        &mut self,
        head: &Head,
        namespace: &str,
        plan: &Plan,
        all: &mut Known,
        seen: Option<&Seen>,
    ) -> Result<(), CallError> {
        let known = all.get(namespace).and_then(|known| known.as_ref().ok());
        if let Some(next) = &plan.next
            && known != Some(next)
            && self.may_move(namespace, known, next)
        {
            self.store(namespace, next).await?;
            all.insert(namespace.to_owned(), Ok(next.clone()));
        }
        let known = all.get(namespace).and_then(|known| known.as_ref().ok());
        let state = state(plan, known);
        let place = self.settings.place(namespace).to_owned();
        let unseen = Seen::default();
        let announced = known.map(|known| (namespace, known));
        let uid = match seen {
            Some(seen) => seen.uid.clone(),
            None => self.announce(namespace, &place).await?,
        };
        let status = seen.unwrap_or(&unseen).status(&self.url, head.branch(), announced, &state);
        if let Some(status) = status {
            self.patch_status(namespace, &place, &status).await?;
        }
        let subject = Subject { namespace, place: &place, uid: uid.as_deref(), revision: head.revision() };
        self.notices.tell(&subject, &state).await;
        Ok(())
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

    /// All archives of the cluster.
    async fn stored(&self) -> Result<Known, CallError> {
        let config_maps = Api::<ConfigMap>::namespaced(self.client.clone(), &self.settings.namespace);
        let found = with_timeout(WRITE, config_maps.list(&ours())).await?;
        Ok(found.items.iter().filter_map(stored::in_force).collect())
    }

    /// All artifacts of the cluster.
    async fn seen(&self) -> Result<BTreeMap<String, Seen>, CallError> {
        let place = (!self.settings.in_tenants).then_some(self.settings.namespace.as_str());
        let found = with_timeout(WRITE, announced::api(&self.client, place).list(&ours())).await?;
        Ok(found.items.iter().filter_map(|object| Seen::of(object, &self.settings)).collect())
    }

    /// Writes an archive, and serves it.
    async fn store(&self, namespace: &str, next: &InForce) -> Result<(), CallError> {
        let config_maps = Api::<ConfigMap>::namespaced(self.client.clone(), &self.settings.namespace);
        let config_map = stored::config_map(namespace, &self.settings.namespace, next);
        let (name, patch) = (name(namespace), Patch::Apply(config_map));
        with_timeout(WRITE, config_maps.patch(&name, &apply(), &patch)).await?;
        self.archives.put(namespace, next.artifact.clone());
        info!(namespace, commit = next.commit.id, digest = %next.artifact.digest, "Flux gets another artifact");
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

/// The state of a namespace, for people.
fn state(plan: &Plan, known: Option<&InForce>) -> State {
    let commit = known.map_or("nothing", |known| known.commit.short());
    if plan.frozen.is_empty() {
        let objects = known.map_or(0, |known| known.objects);
        let message = format!("{objects} objects of {} applications, since {commit}", plan.current);
        return State { is_ready: true, message };
    }
    let frozen = plan.frozen.iter().map(|(name, reason)| format!("{name} at {commit} ({reason})"));
    let frozen: Vec<_> = frozen.collect();
    let advice = plan.advice.iter().map(|advice| format!("; {advice}"));
    let advice: String = advice.collect();
    let message = format!("frozen: {}, {} others current{advice}", frozen.join(", "), plan.current);
    State { is_ready: false, message }
}

/// What hfi manages.
fn ours() -> ListParams {
    ListParams::default().labels(&format!("{}={}", MANAGER.0, MANAGER.1))
}

/// Server-side apply: no other writer's fields are touched.
fn apply() -> PatchParams {
    PatchParams::apply(FIELD_MANAGER).force()
}
