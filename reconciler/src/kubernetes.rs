//! The cluster as a peer: with `--kubernetes`, the reconciler knows its namespaces and shows in it what it
//! serves. The one folder that names `kube` and `k8s_openapi`.
//!
//! Nothing else waits for any of this. It reads what is published as the server does, and gives back only
//! what it [knows](ClusterHealth) of the cluster. An API server that is away, slow, or refuses is said once, and
//! tried again.
//!
//! - [`client`]: calls to the API server.
//! - `health`: the result of these calls, for the status and the metrics.
//! - `namespace_watch`: follows the namespaces.
//! - [`leader`]: elects the replica that writes.
//! - [`reporting`]: the object that shows what is served, and Events.
//! - [`inspecting`]: reads what [`doctor`](crate::doctor) judges.

pub mod client;
mod health;
pub mod inspecting;
pub mod leader;
mod namespace_watch;
pub mod reporting;

use std::sync::Arc;

use self::{client::connection::Connection, reporting::reporter::Reporter};
pub use self::{
    client::connection::NotConfigured,
    health::{ClusterHealth, ClusterTask, SharedHealth, TaskFailure},
};
use crate::{serving::publisher::Publisher, shutdown::Shutdown, sync::requests::Refresh};

/// The name of the Lease and of the object, which is that of the Deployment.
pub(crate) const NAME: &str = "hfi-control-plane";

/// The way to the cluster of this process.
#[expect(missing_debug_implementations, reason = "a client has none, and its configuration is a secret")]
pub struct KubernetesAgent {
    connection: Connection,
    health: Arc<SharedHealth>,
}

impl KubernetesAgent {
    /// Finds out which cluster it is, and asks it nothing yet.
    pub async fn new() -> Result<Self, NotConfigured> {
        Ok(Self { connection: Connection::new().await?, health: Arc::default() })
    }

    /// What is known of it.
    pub fn health(&self) -> Arc<SharedHealth> {
        Arc::clone(&self.health)
    }

    /// Does everything there is to do with it, until shutdown.
    pub async fn run(self, publisher: Arc<Publisher>, refresh: Arc<Refresh>, shutdown: Shutdown) {
        let Self { connection, health } = self;
        let following = namespace_watch::follow(connection.client.clone(), Arc::clone(&health));
        let reporting = Reporter::new(&connection, Arc::clone(&health)).run(publisher, refresh);
        // Tasks of their own: whatever one of them waits for, the others go on.
        let others = [tokio::spawn(following), tokio::spawn(reporting)];
        let end_others = async {
            for other in others {
                other.abort();
                // Only now does it write no more.
                let _ = other.await;
            }
        };
        leader::lease::elect(&connection, health, shutdown, end_others).await;
    }
}
