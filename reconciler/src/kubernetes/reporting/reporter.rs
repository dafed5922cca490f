//! Tells the cluster what is served: the status of one object, and Events about it. The leader does.

use std::{sync::Arc, time::Duration};

use kube::{
    Api, ResourceExt as _,
    api::{DynamicObject, Patch, PatchParams},
};
use serde_json::json;
use tokio::time::Instant;

use super::{
    events::{diff::news, queue::Outbox},
    object::{Status, resource},
    observation::Observation,
};
use crate::kubernetes::{
    NAME,
    client::{
        call::{self, Failed, Pauses, within},
        connection::Connection,
    },
    health::{Cluster, Duty},
};
use crate::{serving::publisher::Publisher, sync::requests::Refresh};

/// How far apart two reports are: what happens in between is told together.
const SPACING: Duration = Duration::from_secs(1);
/// How often it is told that the source was read again, while nothing else is new.
const AGE: Duration = Duration::from_secs(60);

/// Where things are told.
pub(crate) struct Reporter {
    sources: Api<DynamicObject>,
    outbox: Outbox,
    identity: String,
    cluster: Arc<Cluster>,
    /// The object as it is known to be.
    shown: Option<Shown>,
    /// Up to where everything is told by Events, or waits to be.
    told: Option<Status>,
}

/// The object in the cluster.
struct Shown {
    uid: Option<String>,
    status: Status,
    at: Instant,
}

impl Reporter {
    pub(crate) fn new(connection: &Connection, cluster: Arc<Cluster>) -> Self {
        Self {
            sources: connection.policy_sources(),
            outbox: Outbox::new(connection, Arc::clone(&cluster)),
            identity: connection.identity.clone(),
            cluster,
            shown: None,
            told: None,
        }
    }

    /// Runs for ever.
    pub(crate) async fn run(mut self, publisher: Arc<Publisher>, refresh: Arc<Refresh>) {
        let (mut served, mut looks) = (publisher.watch(), refresh.watch());
        let mut view = self.cluster.watch();
        let mut pauses = Pauses::default();
        loop {
            if !view.borrow_and_update().leader {
                // Whoever leads next finds in the cluster what has been told so far.
                self.shown = None;
                self.told = None;
                self.outbox.clear();
                // The sender outlives this task, or else there is nothing more to tell.
                if view.wait_for(|view| view.leader).await.is_err() {
                    return;
                }
            }
            let told = tokio::select! {
                biased;
                // Somebody else may lead by now: what is under way is given up.
                _ = view.wait_for(|view| !view.leader) => continue,
                told = self.report(&publisher, &refresh) => told,
            };
            let pause = match told {
                Ok(()) => {
                    pauses.begin_anew();
                    SPACING
                }
                Err(error) => {
                    // Somebody may have removed the object, or written it.
                    self.shown = None;
                    self.cluster.went(Duty::Status, Err(error.to_string()));
                    pauses.next()
                }
            };
            tokio::time::sleep(pause).await;
            if self.shown.is_some() {
                tokio::select! {
                    _ = served.changed() => {}
                    _ = looks.changed() => {}
                    _ = view.changed() => {}
                    () = tokio::time::sleep(AGE) => {}
                }
            }
        }
    }

    async fn report(&mut self, publisher: &Arc<Publisher>, refresh: &Arc<Refresh>) -> Result<(), Failed> {
        let (publisher, refresh) = (Arc::clone(publisher), Arc::clone(refresh));
        let namespaces = self.cluster.namespaces();
        let observe = move || Observation::of(&publisher, &refresh, namespaces.as_deref());
        let seen = tokio::task::spawn_blocking(observe).await.unwrap_or_default();
        let shown = match self.shown.take() {
            Some(shown) => shown,
            None => self.find().await?,
        };
        let status = Status::new(&seen, &self.identity, Some(&shown.status));
        let is_new = !status.says_the_same(&shown.status);
        let is_aged = shown.at.elapsed() >= AGE && status != shown.status;
        if !seen.is_settled() || !(is_new || is_aged) {
            self.shown = Some(shown);
            return Ok(());
        }
        for news in news(self.told.as_ref().unwrap_or(&shown.status), &status) {
            self.outbox.take(news, shown.uid.clone());
        }
        self.told = Some(status.clone());
        // Events first: were this process to end in between, its successor would tell them again.
        self.outbox.send().await?;
        self.write(json!({"metadata": {"name": NAME}, "status": &status}), true).await?;
        self.cluster.went(Duty::Status, Ok(()));
        self.shown = Some(Shown { status, at: Instant::now(), ..shown });
        Ok(())
    }

    /// The object as it is in the cluster, made if there is none.
    async fn find(&self) -> Result<Shown, Failed> {
        let found = within(call::LONGEST, self.sources.get_opt(NAME)).await?;
        let object = match found {
            Some(object) => object,
            None => {
                let labels = json!({"app.kubernetes.io/name": NAME});
                self.write(json!({"metadata": {"name": NAME, "labels": labels}}), false).await?
            }
        };
        let status = object.data.get("status").cloned().unwrap_or_default();
        // One that cannot be read is none that this wrote.
        let status = serde_json::from_value(status).unwrap_or_default();
        Ok(Shown { uid: object.uid(), status, at: Instant::now() })
    }

    /// Writes a part of the object, by server-side apply.
    async fn write(&self, mut part: serde_json::Value, is_status: bool) -> Result<DynamicObject, Failed> {
        if let Some(part) = part.as_object_mut() {
            part.insert("apiVersion".to_owned(), resource().api_version.into());
            part.insert("kind".to_owned(), resource().kind.into());
        }
        let (params, patch) = (PatchParams::apply("hfi").force(), Patch::Apply(part));
        within(call::LONGEST, async {
            if is_status {
                self.sources.patch_status(NAME, &params, &patch).await
            } else {
                self.sources.patch(NAME, &params, &patch).await
            }
        })
        .await
    }
}
