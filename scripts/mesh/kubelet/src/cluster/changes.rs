//! Changes in the cluster that running Pods notice.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use kube::api::{Api, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::{broadcast, watch};
use tracing::warn;

use crate::spec::objects::Reference;

/// The namespace and the name of an object.
pub(crate) type Change = (String, Reference);

/// What Pods subscribe to.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    objects: broadcast::Sender<Change>,
    /// None until the first list is there.
    services: watch::Sender<Option<Arc<Vec<Service>>>>,
}

impl Changes {
    pub(crate) fn new() -> Self {
        Self { objects: broadcast::Sender::new(1024), services: watch::Sender::new(None) }
    }

    /// ConfigMaps and Secrets that are made, changed or deleted.
    pub(crate) fn objects(&self) -> broadcast::Receiver<Change> {
        self.objects.subscribe()
    }

    /// All Services.
    pub(crate) fn services(&self) -> watch::Receiver<Option<Arc<Vec<Service>>>> {
        self.services.subscribe()
    }

    /// Watches for ever.
    pub(crate) async fn watch(self, client: Client) {
        let maps = Api::<PartialObjectMeta<ConfigMap>>::all(client.clone());
        let secrets = Api::<PartialObjectMeta<Secret>>::all(client.clone());
        tokio::join!(
            each(maps, |event| self.report(event, Reference::ConfigMap)),
            each(secrets, |event| self.report(event, Reference::Secret)),
            self.watch_services(Api::all(client)),
        );
    }

    fn report<K: Resource<DynamicType = ()>>(&self, event: Event<K>, reference: fn(String) -> Reference) {
        if let Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) = event {
            let change = (object.namespace().unwrap_or_default(), reference(object.name_any()));
            // Without a Pod nobody listens.
            let _ = self.objects.send(change);
        }
    }

    async fn watch_services(&self, services: Api<Service>) {
        let mut all = BTreeMap::new();
        let mut is_complete = false;
        each(services, |event| {
            let key = |service: &Service| (service.namespace(), service.name_any());
            match event {
                Event::Init => {
                    all.clear();
                    is_complete = false;
                }
                Event::InitApply(service) | Event::Apply(service) => {
                    all.insert(key(&service), service);
                }
                Event::Delete(service) => {
                    all.remove(&key(&service));
                }
                Event::InitDone => is_complete = true,
            }
            if is_complete {
                self.services.send_replace(Some(Arc::new(all.values().cloned().collect())));
            }
        })
        .await;
    }
}

/// Calls `see` for every event, for ever; after an error the watch begins again.
pub(crate) async fn each<K>(api: Api<K>, mut see: impl FnMut(Event<K>))
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut events = pin!(watcher(api, Config::default()).default_backoff());
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => see(event),
            Err(error) => warn!(%error, "a watch broke off and begins again"),
        }
    }
}
