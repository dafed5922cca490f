//! Takes the archives of all ConfigMaps into memory, where they are served from.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client, runtime::watcher};

use super::{MANAGED_BY, stored::archive};
use crate::{istio::archives::Archives, kubernetes::client::followed::Followed};

/// Runs for ever. While the API server is away, what is known stays.
pub(in crate::kubernetes) async fn follow(client: Client, namespace: String, archives: Arc<Archives>) {
    let config_maps = Api::<ConfigMap>::namespaced(client, &namespace);
    let ours = watcher::Config::default().labels(&format!("{}={}", MANAGED_BY.0, MANAGED_BY.1));
    let take = |config_map: ConfigMap| {
        let (namespace, artifact) = archive(&config_map)?;
        archives.put(&namespace, artifact);
        None
    };
    // It keeps nothing by itself.
    Followed::<()>::default().follow(config_maps, ours, take).await;
}
