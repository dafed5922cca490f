//! Follows the namespaces of the cluster.

use std::{pin::pin, sync::Arc};

use futures_util::StreamExt as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client,
    core::PartialObjectMeta,
    runtime::watcher::{self, Event, watcher},
};

use super::{
    client::{call::Backoff, connection::WATCH_SECONDS, error_text},
    health::{ClusterTask, SharedHealth},
};
use crate::serving::namespaces::Namespaces;

/// Runs for ever. While the server is down, the last known namespaces stay.
pub(crate) async fn follow(client: Client, health: Arc<SharedHealth>) {
    let mut backoff = Backoff::default();
    loop {
        let error = until_it_breaks(&client, &health, &mut backoff).await;
        health.record(ClusterTask::Namespaces, Err(error));
        tokio::time::sleep(backoff.next()).await;
    }
}

/// Lists and watches until the first error, and returns it. The next call lists again, so that no deletion
/// is missed.
async fn until_it_breaks(client: &Client, health: &SharedHealth, backoff: &mut Backoff) -> String {
    let namespaces = Api::<PartialObjectMeta<Namespace>>::all(client.clone());
    let mut events = pin!(watcher(namespaces, watcher::Config::default().timeout(WATCH_SECONDS)));
    let mut known = Namespaces::default();
    let mut is_whole = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => {
                known = Namespaces::default();
                is_whole = false;
            }
            Ok(Event::InitDone) => is_whole = true,
            Ok(Event::InitApply(namespace) | Event::Apply(namespace)) => known.extend(name(namespace)),
            Ok(Event::Delete(namespace)) => name(namespace).iter().for_each(|name| known.remove(name)),
            Err(error) => return error_text::of_watch(&error),
        }
        if is_whole {
            backoff.reset();
            health.record(ClusterTask::Namespaces, Ok(()));
            health.set_namespaces(known.clone());
        }
    }
    "the watch has ended".to_owned()
}

fn name(namespace: PartialObjectMeta<Namespace>) -> Option<String> {
    namespace.metadata.name
}
