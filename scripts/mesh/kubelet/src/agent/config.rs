//! The configuration of a kubelet.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;

use crate::image::Images;
use crate::network::Network;

/// The pause that Kubernetes has.
const BACKOFF: Duration = Duration::from_secs(10);

/// Everything that a kubelet needs.
#[derive(Clone)]
pub struct Config {
    /// A client that may do what a kubelet and a scheduler may, such as one of `system:masters`.
    pub client: Client,
    /// The name of the Node. Every Pod without one is bound to it.
    pub node: String,
    /// A directory for volumes and logs. At the end only the logs stay.
    pub run_directory: PathBuf,
    /// Several kubelets may share one.
    pub network: Arc<Network>,
    /// The programs that Pods may run.
    pub images: Images,
    /// Names of every Pod's `/etc/hosts`, beside those of Services.
    pub hosts: Vec<(IpAddr, String)>,
    /// A DNS server. Without one, names are those of `/etc/hosts`.
    pub dns: Option<IpAddr>,
    /// The first pause before a restart; it doubles up to 30 times as much.
    pub backoff: Duration,
}

impl Config {
    /// A configuration without further names, and with the pauses of Kubernetes.
    pub fn new(
        client: Client,
        node: impl Into<String>,
        run_directory: impl Into<PathBuf>,
        network: impl Into<Arc<Network>>,
        images: Images,
    ) -> Self {
        Self {
            client,
            node: node.into(),
            run_directory: run_directory.into(),
            network: network.into(),
            images,
            hosts: Vec::new(),
            dns: None,
            backoff: BACKOFF,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("node", &self.node)
            .field("images", &self.images)
            .finish_non_exhaustive()
    }
}
