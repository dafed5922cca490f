//! The cluster of a person, by a kubeconfig.

use std::time::Duration;

use kube::{
    Client, Config,
    config::{KubeConfigOptions, KubeconfigError},
};

use super::error_text;

/// A kubeconfig that leads to no cluster.
#[derive(Debug, thiserror::Error)]
pub enum NoCluster {
    #[error("no cluster: {}", error_text::of_kubeconfig(.0))]
    Absent(#[from] KubeconfigError),
    #[error("cannot use the kubeconfig: {}", error_text::of_call(.0))]
    Unusable(Box<kube::Error>),
}

/// A client of the cluster of a context, or of the current one. Sends nothing yet. A connection that is silent for
/// longer than `silence` is given up.
pub(crate) async fn connect(context: Option<String>, silence: Duration) -> Result<Client, NoCluster> {
    let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
    let mut config = Config::from_kubeconfig(&options).await?;
    config.connect_timeout = Some(silence);
    config.read_timeout = Some(silence);
    // A person waits for the result. The client takes a pod's 503 for one of the API server: it would ask a
    // replica that is not ready for minutes.
    config.default_retry = false;
    Client::try_from(config).map_err(|error| NoCluster::Unusable(Box::new(error)))
}
