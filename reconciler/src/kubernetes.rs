//! The cluster, with `--kubernetes`: the reconciler follows its namespaces and reports its status there. The
//! only directory that names `kube` and `k8s_openapi`.
//!
//! Nothing else waits for it. It reads what is published, as the HTTP server does, and returns only
//! [`ClusterHealth`]. An API server that is down, slow or refuses is logged once and tried again.
//!
//! - [`client`]: calls to the API server.
//! - `health`: the results of these calls, for the status and the metrics.
//! - `namespace_watch`: follows the namespaces.
//! - `replicas`: asks all replicas which filters they hear.
//! - `proxies`: the proxies that should run the filter and do not.
//! - [`leader`]: elects the replica that writes.
//! - [`artifacts`]: the Istio configuration of applications, for Flux.
//! - [`reporting`]: the object that shows what is served, and Events.
//! - `token_review`: asks whose token something is.
//! - [`forwarding`]: a way to the replicas for a person outside of the cluster.
//! - [`inspecting`]: reads what [`doctor`](crate::doctor) judges.

pub mod artifacts;
pub mod client;
pub mod forwarding;
mod health;
pub mod inspecting;
pub mod leader;
mod namespace_watch;
mod proxies;
mod replicas;
pub mod reporting;
mod token_review;

use std::{path::PathBuf, sync::Arc};

use self::{
    artifacts::{archive_watch, keeper::Keeper},
    client::connection::Connection,
    proxies::watch::ProxyWatch,
    replicas::Replicas,
    reporting::reporter::Reporter,
};
pub use self::{
    client::connection::NotConfigured,
    health::{ClusterHealth, ClusterTask, SharedHealth, TaskFailure},
    proxies::ProxyMode,
    token_review::TokenReviewer,
};
use crate::{
    access::token_file::TokenFile, istio::archives::Archives, serving::publisher::Publisher,
    shutdown::Shutdown, source::git::CommitLog, sync::requests::Syncs,
};

/// The name of the Lease and of the `PolicySource`: that of the Deployment.
pub(crate) const NAME: &str = "hfi-control-plane";

/// The tasks of this replica in its cluster.
#[expect(missing_debug_implementations, reason = "the client has none, and its configuration holds secrets")]
pub struct KubernetesAgent {
    connection: Connection,
    health: Arc<SharedHealth>,
    settings: Settings,
    /// The tokens by which this replica may ask the others, where not everybody may.
    view_tokens: Option<Arc<TokenFile>>,
    /// The rendered Istio configuration, if it is handed to Flux.
    archives: Option<Arc<Archives>>,
    /// The commits of the repository, if there is one.
    commits: Option<CommitLog>,
}

/// The options of these tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub proxies: ProxyMode,
    /// The namespace whose plugins hold for the whole mesh.
    pub root_namespace: String,
    /// The replicas serve HTTPS.
    pub tls: bool,
    /// The only certificates that are trusted for it.
    pub ca_file: Option<PathBuf>,
    /// Where the Istio configuration of applications goes, if it is handed to Flux.
    pub artifacts: Option<artifacts::Settings>,
}

impl KubernetesAgent {
    /// Reads the address of the API server and the credentials; sends no request yet.
    pub async fn new(settings: Settings) -> Result<Self, NotConfigured> {
        let archives = settings.artifacts.as_ref().map(|_| Arc::default());
        Ok(Self {
            connection: Connection::new().await?,
            health: Arc::default(),
            settings,
            view_tokens: None,
            archives,
            commits: None,
        })
    }

    /// The rendered Istio configuration, if it is handed to Flux.
    pub fn archives(&self) -> Option<Arc<Archives>> {
        self.archives.clone()
    }

    /// Reads the commits of the repository.
    #[must_use]
    pub fn with_commits(self, commits: Option<CommitLog>) -> Self {
        Self { commits, ..self }
    }

    /// Asks the other replicas with the first of these tokens.
    #[must_use]
    pub fn with_view_tokens(self, view_tokens: Option<Arc<TokenFile>>) -> Self {
        Self { view_tokens, ..self }
    }

    /// The health of the cluster, as this replica sees it.
    pub fn health(&self) -> Arc<SharedHealth> {
        Arc::clone(&self.health)
    }

    /// Reviews tokens of ServiceAccounts.
    pub fn token_reviewer(&self) -> TokenReviewer {
        TokenReviewer::new(self.connection.client.clone())
    }

    /// Follows the namespaces and the proxies, takes part in the election and reports, until shutdown.
    pub async fn run(self, publisher: Arc<Publisher>, syncs: Arc<Syncs>, shutdown: Shutdown) {
        let Self { connection, health, settings, view_tokens, archives, commits } = self;
        let Settings { proxies, root_namespace, tls, ca_file, artifacts } = settings;
        let following = namespace_watch::follow(connection.client.clone(), Arc::clone(&health));
        let mut others = Vec::new();
        if let (Some(settings), Some(archives), Some(commits)) = (artifacts, archives, commits) {
            let (client, place) = (connection.client.clone(), settings.namespace.clone());
            others.push(tokio::spawn(archive_watch::follow(client, place, Arc::clone(&archives))));
            let (keeper, teller) =
                Keeper::new(&connection, settings, tls, Arc::clone(&health), archives, commits);
            others.push(tokio::spawn(teller.run()));
            others.push(tokio::spawn(keeper.run(Arc::clone(&publisher), Arc::clone(&syncs))));
        }
        let reporting = Reporter::new(&connection, Arc::clone(&health)).run(publisher, syncs);
        // Separate tasks: while one waits, the others go on.
        let asking = Replicas::new(&connection, Arc::clone(&health), tls, ca_file, view_tokens).follow();
        let watching = ProxyWatch::new(&connection, Arc::clone(&health), proxies, root_namespace).run();
        others.extend([
            tokio::spawn(following),
            tokio::spawn(reporting),
            tokio::spawn(asking),
            tokio::spawn(watching),
        ]);
        let end_others = async {
            for other in others {
                other.abort();
                // Only now is it certain that it writes no more.
                let _ = other.await;
            }
        };
        leader::lease::elect(&connection, health, shutdown, end_others).await;
    }
}
