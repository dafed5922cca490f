//! The kubelet as a whole: its configuration, its start and its end.

mod config;
mod pods;

use std::fmt;
use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::cluster::Cluster;
use crate::cluster::changes::Changes;
use crate::network::{RunName, clean};
use crate::pod::shared::Shared;
use crate::probe::ask::Clients;
use crate::process::running::Running;
use crate::server::{Containers, Server};
use crate::{machine, node};
pub use config::Config;

/// A Node whose Pods run on this machine. Dropping it kills them.
pub struct Kubelet {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    /// Closes when all Pods are gone from this machine.
    gone: mpsc::Receiver<()>,
}

impl Kubelet {
    /// Registers the Node and begins to run Pods.
    pub async fn start(config: Config) -> Result<Self> {
        machine::check()?;
        std::fs::create_dir_all(&config.run_directory)?;
        let run_directory = config.run_directory.canonicalize().context("the run directory")?;
        let (client, node) = (config.client, config.node);
        let capacity = node::capacity()?;
        let (running, gateway) = (Running::default(), config.network.gateway());
        let containers = Containers { running: running.clone(), logs: run_directory.join("logs") };
        let server = Server::bind(gateway, containers).await?;
        node::register(&client, &node, (gateway, server.port()?), &capacity).await?;
        let changes = Changes::new();
        let (alive, gone) = mpsc::channel(1);
        let shared = Arc::new(Shared {
            cluster: Cluster { client: client.clone(), node: node.clone() },
            changes: changes.clone(),
            images: config.images,
            clients: Clients::new()?,
            running,
            network: config.network,
            capacity,
            hosts: config.hosts,
            dns: config.dns,
            backoff: config.backoff,
            run_directory,
            alive,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(changes.watch(client.clone()));
        tasks.spawn(node::beat(client, node));
        tasks.spawn(pods::follow(shared.clone()));
        tasks.spawn(server.run());
        Ok(Self { shared, tasks, gone })
    }

    /// Kills every container and takes every network namespace away. The Pods stay in the API server as they are.
    /// Dropping does the same, a little later.
    pub async fn stop(mut self) -> Result<()> {
        self.tasks.shutdown().await;
        let Self { shared, mut gone, .. } = self;
        let directory = shared.run_directory.join("pods");
        drop(shared);
        // Nothing is ever sent.
        while gone.recv().await.is_some() {}
        match tokio::fs::remove_dir_all(&directory).await {
            Err(error) if directory.exists() => {
                Err(error).with_context(|| format!("removing {}", directory.display()))
            }
            _ => Ok(()),
        }
    }

    /// The file with what a container has printed, over restarts and over Pods of this name.
    pub fn log(&self, namespace: &str, pod: &str, container: &str) -> PathBuf {
        self.shared.logs(namespace, pod).join(format!("{container}.log"))
    }

    /// The network namespace of a Pod of which a container runs: a file for `nsenter --net=FILE`.
    pub fn network_namespace(&self, namespace: &str, pod: &str) -> Option<PathBuf> {
        self.shared.running.network(namespace, pod)
    }

    /// Runs a command inside a running container.
    pub async fn exec(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        command: &[&str],
    ) -> Result<Output> {
        let entry = self.shared.running.entry(namespace, pod, container);
        let entry = entry.with_context(|| format!("no container {container} of {namespace}/{pod} runs"))?;
        let words: Vec<_> = command.iter().map(|word| (*word).to_owned()).collect();
        entry.exec(&words).await
    }

    /// Kills the program of a running container (SIGKILL), and with it all that it has started.
    pub fn kill(&self, namespace: &str, pod: &str, container: &str) -> Result<()> {
        let entry = self.shared.running.entry(namespace, pod, container);
        let entry = entry.with_context(|| format!("no container {container} of {namespace}/{pod} runs"))?;
        entry.kill()
    }

    /// Ends the processes that a run left, and takes its namespaces, links and bridge away. It blocks.
    pub fn clean(run: &RunName) -> Result<()> {
        clean(run)
    }
}

impl fmt::Debug for Kubelet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubelet").field("node", &self.shared.cluster.node).finish_non_exhaustive()
    }
}
