//! The cluster as a peer: with `--kubernetes`, the reconciler knows its namespaces and shows in it what it
//! serves. The one folder that names `kube` and `k8s_openapi`.
//!
//! Nothing else waits for any of this. It reads what is published as the server does, and gives back only
//! what it [knows](View) of the cluster. An API server that is away, slow, or refuses is said once, and
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
    health::{Cluster, Duty, Failing, View},
};
use crate::{serving::publisher::Publisher, shutdown::Shutdown, sync::requests::Refresh};

/// The name of the Lease and of the object, which is that of the Deployment.
pub(crate) const NAME: &str = "hfi-control-plane";

/// The way to the cluster of this process.
#[expect(missing_debug_implementations, reason = "a client has none, and its configuration is a secret")]
pub struct Peer {
    connection: Connection,
    cluster: Arc<Cluster>,
}

impl Peer {
    /// Finds out which cluster it is, and asks it nothing yet.
    pub async fn new() -> Result<Self, NotConfigured> {
        Ok(Self { connection: Connection::new().await?, cluster: Arc::default() })
    }

    /// What is known of it.
    pub fn cluster(&self) -> Arc<Cluster> {
        Arc::clone(&self.cluster)
    }

    /// Does everything there is to do with it, until shutdown.
    pub async fn run(self, publisher: Arc<Publisher>, refresh: Arc<Refresh>, shutdown: Shutdown) {
        let Self { connection, cluster } = self;
        let following = namespace_watch::follow(connection.client.clone(), Arc::clone(&cluster));
        let reporting = Reporter::new(&connection, Arc::clone(&cluster)).run(publisher, refresh);
        // Tasks of their own: whatever one of them waits for, the others go on.
        let others = [tokio::spawn(following), tokio::spawn(reporting)];
        let end_others = async {
            for other in others {
                other.abort();
                // Only now does it write no more.
                let _ = other.await;
            }
        };
        leader::lease::elect(&connection, cluster, shutdown, end_others).await;
    }
}
