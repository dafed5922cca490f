//! Writes the archive and the artifact of one namespace after another.

use std::sync::Arc;

use kube::{
    Client,
    api::{Patch, PatchParams},
};
use serde_json::Value;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{
    ALLOW_COMMIT, Settings, WRITE,
    announced::{self, Seen},
    apply,
    config_maps::ConfigMaps,
    head::Head,
    name,
    notices::Notice,
    ours,
    pace::Pace,
    state::State,
};
use crate::{
    istio::{
        archives::Archives,
        plan::{InForce, Namespaces, Plan},
    },
    kubernetes::client::call::{self, CallError, with_timeout},
    version,
};

/// The writer of archives and artifacts.
pub(super) struct Writer {
    pub(super) client: Client,
    /// The namespace of this replica.
    pub(super) own_namespace: String,
    pub(super) settings: Settings,
    pub(super) url: String,
    pub(super) archives: Arc<Archives>,
    pub(super) config_maps: ConfigMaps,
    pub(super) pace: Pace,
    /// What is said of annotations that were taken away while something is frozen.
    pub(super) taken: Namespaces<String>,
}

impl Writer {
    /// Writes what a namespace lacks.
    pub(super) async fn keep(
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
        let allowed = seen.and_then(|seen| seen.allowed.as_ref());
        let ends = plan.ends_annotation.as_ref().filter(|_| allowed.is_some() && !waits);
        if allowed.is_some() || plan.frozen.is_empty() {
            self.taken.remove(namespace);
        }
        if let Some((commit, reason)) = allowed.zip(ends) {
            let taken = format!("the annotation {ALLOW_COMMIT}={commit} was taken away: {reason}");
            self.taken.insert(namespace.to_owned(), taken);
        }
        let state = State::of(plan, known, waits, self.taken.get(namespace).map(String::as_str));
        let place = self.settings.place(namespace).to_owned();
        let unseen = Seen::default();
        let announced = known.map(|known| (namespace, known));
        let status = seen.unwrap_or(&unseen).status(&self.url, head.branch(), announced, &state);
        let (uid, mut version) = match seen {
            Some(seen) => (seen.uid.clone(), seen.version.clone()),
            None => self.announce(namespace, &place).await?,
        };
        if let Some(status) = status {
            version = self.patch_status(namespace, &place, version.as_deref(), &status).await?;
        }
        if let Some(reason) = ends {
            self.take_annotation(namespace, &place, version.as_deref()).await?;
            info!(namespace, reason, "the annotation that agrees to a commit was taken away");
        }
        Ok(Notice { place, uid, revision: head.revision().to_owned(), state })
    }

    /// What people are told of a namespace that could not be kept: a freeze, if there is one.
    pub(super) fn freeze(
        &self,
        head: &Head,
        namespace: &str,
        plan: &Plan,
        seen: Option<&Seen>,
    ) -> Option<Notice> {
        let taken = self.taken.get(namespace).map(String::as_str);
        let state = State::of(plan, self.config_maps.in_force(namespace), false, taken);
        let (place, revision) = (self.settings.place(namespace).to_owned(), head.revision().to_owned());
        let uid = seen.and_then(|seen| seen.uid.clone());
        (!state.is_ready()).then_some(Notice { place, uid, revision, state })
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
    pub(super) async fn seen(&self) -> Result<Namespaces<Seen>, CallError> {
        let place = (!self.settings.in_tenants).then_some(self.settings.namespace.as_str());
        let found = with_timeout(WRITE, announced::api(&self.client, place).list(&ours())).await?;
        Ok(found.items.iter().filter_map(|object| Seen::of(object, &self.settings)).collect())
    }

    /// Writes an archive, and serves it.
    async fn store(&mut self, namespace: &str, next: &InForce) -> Result<(), CallError> {
        let is_new = self.config_maps.in_force(namespace).is_none_or(|known| known.artifact != next.artifact);
        self.config_maps.write(namespace, next).await?;
        self.archives.put(namespace, next.artifact.clone());
        if is_new {
            info!(namespace, commit = next.commit.id, digest = %next.artifact.digest, "an archive is written");
        }
        Ok(())
    }

    /// Writes the object of an artifact, and returns its uid and version.
    async fn announce(
        &self,
        namespace: &str,
        place: &str,
    ) -> Result<(Option<String>, Option<String>), CallError> {
        let objects = announced::api(&self.client, Some(place));
        let (name, patch) =
            (name(namespace), Patch::Apply(announced::object(namespace, place, &self.own_namespace)));
        let object = with_timeout(call::TIMEOUT, objects.patch(&name, &apply(), &patch)).await?;
        Ok((object.metadata.uid, object.metadata.resource_version))
    }

    /// Writes the status of this version of an artifact, and returns the new version.
    async fn patch_status(
        &self,
        namespace: &str,
        place: &str,
        replaced: Option<&str>,
        status: &Value,
    ) -> Result<Option<String>, CallError> {
        let objects = announced::api(&self.client, Some(place));
        let patch = Patch::Apply(announced::with_status(namespace, place, replaced, status));
        let name = name(namespace);
        let patched = with_timeout(call::TIMEOUT, objects.patch_status(&name, &apply(), &patch)).await?;
        Ok(patched.metadata.resource_version)
    }

    /// Takes the annotation from this version of an artifact: another one may agree to another commit.
    async fn take_annotation(
        &self,
        namespace: &str,
        place: &str,
        version: Option<&str>,
    ) -> Result<(), CallError> {
        let objects = announced::api(&self.client, Some(place));
        let (name, patch) = (name(namespace), Patch::Merge(announced::without_annotation(version)));
        let parameters = PatchParams::default();
        with_timeout(call::TIMEOUT, objects.patch(&name, &parameters, &patch)).await.map(drop)
    }
}
