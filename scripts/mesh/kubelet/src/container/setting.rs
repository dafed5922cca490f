//! What the containers of a Pod share.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, Service};
use tokio::sync::{mpsc, watch};

use super::state::States;
use crate::cluster::Cluster;
use crate::cluster::changes::Changes;
use crate::image::Images;
use crate::network::PodNetwork;
use crate::probe::ask::Clients;
use crate::process::running::Running;
use crate::spec::facts::Facts;

/// A Pod that has a network and volumes.
pub(crate) struct Setting {
    pub(crate) cluster: Cluster,
    pub(crate) images: Images,
    pub(crate) clients: Clients,
    pub(crate) running: Running,
    pub(crate) pod: watch::Receiver<Arc<Pod>>,
    pub(crate) services: watch::Receiver<Option<Arc<Vec<Service>>>>,
    pub(crate) changes: Changes,
    pub(crate) network: PodNetwork,
    pub(crate) facts: Facts,
    pub(crate) states: States,
    pub(crate) backoff: Duration,
    /// Further names, and the server of the others.
    pub(crate) hosts: Vec<(IpAddr, String)>,
    pub(crate) dns: Option<IpAddr>,
    /// For everything that ends with the Pod.
    pub(crate) directory: PathBuf,
    /// For what is printed.
    pub(crate) logs: PathBuf,
    /// Dropped after the network, with the Pod.
    pub(crate) _alive: mpsc::Sender<()>,
}

impl Setting {
    /// The Pod as it is now.
    pub(crate) fn pod(&self) -> Arc<Pod> {
        self.pod.borrow().clone()
    }

    pub(crate) fn services(&self) -> Vec<Service> {
        self.services.borrow().as_ref().map(|services| services.to_vec()).unwrap_or_default()
    }

    pub(crate) fn volumes(&self) -> PathBuf {
        self.directory.join("volumes")
    }

    /// A file of the Pod, such as its `hosts`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A directory of one container.
    pub(crate) fn of_container(&self, name: &str) -> PathBuf {
        self.directory.join("containers").join(name)
    }

    /// The file that a container's output is added to.
    pub(crate) fn log(&self, container: &str) -> PathBuf {
        self.logs.join(format!("{container}.log"))
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting").field("directory", &self.directory).finish_non_exhaustive()
    }
}
