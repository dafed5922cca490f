//! What the Pods of a Node share.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use tokio::sync::{mpsc, watch};

use crate::cluster::Cluster;
use crate::cluster::changes::Changes;
use crate::container::setting::Setting;
use crate::container::state::States;
use crate::image::Images;
use crate::network::{Network, PodNetwork};
use crate::probe::ask::Clients;
use crate::process::running::Running;
use crate::spec::facts::Facts;

/// A Node.
pub(crate) struct Shared {
    pub(crate) cluster: Cluster,
    pub(crate) changes: Changes,
    pub(crate) images: Images,
    pub(crate) clients: Clients,
    pub(crate) running: Running,
    pub(crate) network: Arc<Network>,
    pub(crate) capacity: BTreeMap<String, Quantity>,
    pub(crate) hosts: Vec<(IpAddr, String)>,
    pub(crate) dns: Option<IpAddr>,
    pub(crate) backoff: Duration,
    pub(crate) run_directory: PathBuf,
    /// Closed once no Pod has anything on this machine any more.
    pub(crate) alive: mpsc::Sender<()>,
}

impl Shared {
    /// The directory of a Pod.
    pub(crate) fn directory(&self, pod: &Pod) -> PathBuf {
        self.run_directory.join("pods").join(pod.metadata.uid.as_deref().unwrap_or_default())
    }

    /// The file with what a container has printed.
    pub(crate) fn logs(&self, namespace: &str, pod: &str) -> PathBuf {
        self.run_directory.join("logs").join(namespace).join(pod)
    }

    /// A Pod that has its network.
    pub(crate) fn setting(
        &self,
        first: &Pod,
        pod: watch::Receiver<Arc<Pod>>,
        states: States,
        network: PodNetwork,
    ) -> Setting {
        let (pod_ip, host_ip) = (network.address, self.network.gateway());
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Setting {
            cluster: self.cluster.clone(),
            images: self.images.clone(),
            clients: self.clients.clone(),
            running: self.running.clone(),
            pod,
            services: self.changes.services(),
            network,
            facts: Facts { pod_ip, host_ip, capacity: self.capacity.clone() },
            states,
            backoff: self.backoff,
            hosts: self.hosts.clone(),
            dns: self.dns,
            changes: self.changes.clone(),
            directory: self.directory(first),
            logs: self.logs(&text(&first.metadata.namespace), &text(&first.metadata.name)),
            _alive: self.alive.clone(),
        }
    }
}
