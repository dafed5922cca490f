//! The address of the API server, and the identity of this replica.

use std::{io::ErrorKind::NotFound, time::Duration};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use rustix::system::uname;
use tracing::info;

use super::error_text;
/// The longest time to connect.
const CONNECT: Duration = Duration::from_secs(5);
/// Seconds after which the server ends a watch and is asked again: a dead connection is noticed by then.
pub(crate) const WATCH_SECONDS: u32 = 60;
/// The longest silence of the server; it ends a watch before that.
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 10);

/// A client of the API server. It is made without a request: the server may be down.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    /// The namespace that this replica runs in.
    pub(crate) namespace: String,
    /// The name of this replica among those that compete for the Lease.
    pub(crate) identity: String,
}

/// A configuration that `--kubernetes` cannot use.
#[derive(Debug, thiserror::Error)]
pub enum NotConfigured {
    #[error(
        "--kubernetes finds no cluster: name a kubeconfig in KUBECONFIG, or run in a pod with a service account token ({0})"
    )]
    Nowhere(String),
    #[error("--kubernetes cannot use the kubeconfig: {0}")]
    Kubeconfig(String),
    #[error("--kubernetes cannot use the configuration of the cluster: {0}")]
    Unusable(String),
}

impl Connection {
    pub(crate) async fn new() -> Result<Self, NotConfigured> {
        let mut config = configuration().await?;
        config.connect_timeout = Some(CONNECT);
        config.read_timeout = Some(SILENCE);
        // The idle time of a pooled connection does not count.
        config.reset_reader_on_write = true;
        // The tasks retry by themselves.
        config.default_retry = false;
        // A URL can hold a password; a host cannot.
        let server = config.cluster_url.host().unwrap_or_default().to_owned();
        let unusable = |error| NotConfigured::Unusable(error_text::of_call(&error));
        let client = Client::try_from(config).map_err(unusable)?;
        let (namespace, identity) = (client.default_namespace().to_owned(), identity());
        info!(server, namespace, identity, "using this cluster");
        Ok(Self { client, namespace, identity })
    }
}

/// `KUBECONFIG` wins, even if it is wrong; then the pod's service account; last `~/.kube/config`.
async fn configuration() -> Result<Config, NotConfigured> {
    let unusable = |error| NotConfigured::Kubeconfig(error_text::of_kubeconfig(&error));
    let options = KubeConfigOptions::default();
    if let Some(named) = Kubeconfig::from_env().map_err(unusable)? {
        return Config::from_custom_kubeconfig(named, &options).await.map_err(unusable);
    }
    let nowhere = match Config::incluster() {
        Ok(config) => return Ok(config),
        Err(error) => NotConfigured::Nowhere(error.to_string()),
    };
    match Config::from_kubeconfig(&options).await {
        Ok(config) => Ok(config),
        Err(KubeconfigError::FindPath) => Err(nowhere),
        Err(KubeconfigError::ReadConfig(error, _)) if error.kind() == NotFound => Err(nowhere),
        Err(error) => Err(unusable(error)),
    }
}

/// The host name, which is that of the pod, and a random suffix: two replicas with one identity would both
/// lead.
fn identity() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    let host = uname().nodename().to_string_lossy().into_owned();
    // A fresh `RandomState` is keyed by the system's entropy.
    format!("{host}_{:08x}", RandomState::new().hash_one(std::process::id()) & 0xffff_ffff)
}
