//! Connections to ports of pods, through the API server.

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::Portforwarder};
use tokio::io::DuplexStream;

/// A connection to a port of a pod. It ends when it is dropped.
pub(crate) struct PortForward {
    port: u16,
    forwarder: Portforwarder,
}

impl PortForward {
    pub(crate) async fn open(pods: &Api<Pod>, pod: &str, port: u16) -> kube::Result<Self> {
        Ok(Self { port, forwarder: pods.portforward(pod, &[port]).await? })
    }

    /// The bytes to and from the port; none the second time.
    pub(crate) fn stream(&mut self) -> Option<DuplexStream> {
        self.forwarder.take_stream(self.port)
    }

    /// Waits for the reason why the port cannot be used, for ever if there is none.
    pub(crate) async fn failure(&mut self) -> String {
        match self.forwarder.take_error(self.port) {
            Some(error) => match error.await {
                Some(reason) => reason,
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }
}

impl Drop for PortForward {
    fn drop(&mut self) {
        self.forwarder.abort();
    }
}
