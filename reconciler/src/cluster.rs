//! The cluster as a peer: with `--kubernetes`, the reconciler knows its namespaces and shows in it what it
//! serves. The one folder that names `kube` and `k8s_openapi`.
//!
//! Nothing else waits for any of this. It reads what is published as the server does, and gives back only
//! what it [knows](View) of the cluster. An API server that is away, slow, or refuses is said once, and
//! tried again.
//!
//! - `connection`, `call`, `reason`: where the API server is; one call to it, which ends in time; why it
//!   failed.
//! - `view`: what is known, for the status and the metrics.
//! - `watch`: follows the namespaces.
//! - `candidate`, `lease`: elects the replica that writes.
//! - `observation`, `policy_source`: what is so, and the object that shows it.
//! - `news`, `outbox`: what has changed, as Events, each once.
//! - `report`: writes the object, and sends the Events.
//! - [`survey`], `replica`, `mesh_config`: reads what [`doctor`](crate::doctor) judges.

mod call;
mod candidate;
mod connection;
mod lease;
mod mesh_config;
mod news;
mod observation;
mod outbox;
mod policy_source;
mod reason;
mod replica;
mod report;
pub mod survey;
mod text;
mod view;
mod watch;

use std::sync::Arc;

use self::{connection::Connection, report::Reporter};
pub use self::{
    connection::NotConfigured,
    view::{Cluster, Duty, Failing, View},
};
use crate::{halt::Switch, refresh::Refresh, shutdown::Shutdown};

/// The name of the Lease and of the object, which is that of the Deployment.
const NAME: &str = "hfi-control-plane";

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
    pub async fn run(self, switch: Arc<Switch>, refresh: Arc<Refresh>, shutdown: Shutdown) {
        let Self { connection, cluster } = self;
        let following = watch::follow(connection.client.clone(), Arc::clone(&cluster));
        let reporting = Reporter::new(&connection, Arc::clone(&cluster)).run(switch, refresh);
        // Tasks of their own: whatever one of them waits for, the others go on.
        let others = [tokio::spawn(following), tokio::spawn(reporting)];
        let end_others = async {
            for other in others {
                other.abort();
                // Only now does it write no more.
                let _ = other.await;
            }
        };
        lease::elect(&connection, cluster, shutdown, end_others).await;
    }
}
