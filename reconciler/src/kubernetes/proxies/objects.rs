//! What the cluster says about which proxies should run the filter.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, Pod, Service};
use kube::{Api, ResourceExt as _, core::PartialObjectMeta, runtime::watcher};
use tokio::sync::Notify;

use super::{
    listening::{Given, Listeners},
    plugins::{self, OurPlugin, Unreadable},
    pods::{self, Proxy, Running},
};
use crate::{
    doctor::inventory::{self, Inventory, Istio, Labels, Plugin},
    kubernetes::{
        client::{connection::Connection, followed::Followed},
        inspecting::services,
    },
};

/// The objects, as watches keep them.
#[derive(Default)]
pub(super) struct Objects {
    pods: Followed<Running>,
    plugins: Followed<Result<OurPlugin, Unreadable>>,
    services: Followed<inventory::Service>,
    namespaces: Followed<(String, Labels)>,
    listeners: Listeners,
    /// A plugin names a Service, or a port. Until then Services are not read: there can be many.
    names_service: Notify,
}

/// The objects at one moment.
pub(super) struct Seen {
    /// All pods that run.
    pub(super) pods: Vec<Running>,
    pub(super) proxies: Vec<Arc<Proxy>>,
    pub(super) plugins: Vec<OurPlugin>,
    /// An error with the plugins that cannot be read.
    pub(super) unreadable: Result<(), String>,
    pub(super) inventory: Inventory,
}

impl Objects {
    /// Runs for ever.
    pub(super) async fn follow(&self, connection: &Connection) {
        let Connection { client, namespace, .. } = connection;
        let all = watcher::Config::default;
        let pods =
            self.pods.follow(Api::<Pod>::all(client.clone()), pods::running(), |pod| Some(pods::read(pod)));
        let plugins =
            self.plugins.follow(plugins::all(client), all(), |object| plugins::read(object, namespace));
        let waypoints = async {
            self.names_service.notified().await;
            let all_services = Api::<Service>::all(client.clone());
            let namespaces = Api::<PartialObjectMeta<Namespace>>::all(client.clone());
            tokio::join!(
                self.services.follow(all_services, all(), |service| Some(services::service(service))),
                self.namespaces.follow(namespaces, all(), |namespace| {
                    Some((namespace.name_any(), namespace.labels().clone()))
                }),
            )
        };
        tokio::join!(pods, plugins, waypoints, self.listeners.follow(client));
    }

    /// `None` before all of them have been listed, and an error while some are not known.
    pub(super) fn current(&self, root_namespace: &str) -> Result<Option<Seen>, String> {
        let (Some(pods), Some(found), Some(Given { listening, sidecars })) =
            (self.pods.current()?, self.plugins.current()?, self.listeners.current())
        else {
            return Ok(None);
        };
        let (mut plugins, mut unreadable) = (Vec::new(), Vec::new());
        for plugin in found {
            match plugin {
                Ok(plugin) => plugins.push(plugin),
                Err(error) => unreadable.push(error),
            }
        }
        let istio = Istio { root_namespace: root_namespace.to_owned(), ..Istio::default() };
        let mut inventory = Inventory {
            istio,
            plugins: plugins.iter().map(|known| known.plugin.clone()).collect(),
            listening,
            sidecars,
            ..Inventory::default()
        };
        if inventory.plugins.iter().any(names_service) {
            self.names_service.notify_one();
            let (Some(services), Some(namespaces)) = (self.services.current()?, self.namespaces.current()?)
            else {
                return Ok(None);
            };
            inventory.services = services;
            inventory.namespaces = namespaces.into_iter().collect();
        }
        let proxies = pods.iter().filter_map(|pod| pod.proxy.clone()).collect();
        Ok(Some(Seen { pods, proxies, plugins, unreadable: plugins::complaint(&unreadable), inventory }))
    }
}

/// True if Services say whom a plugin is for.
fn names_service(Plugin { spec, .. }: &Plugin) -> bool {
    spec.target_refs.iter().any(|target| target.kind == "Service")
        || spec.r#match.iter().any(|part| !part.ports.is_empty())
}
