//! etcd, kube-apiserver, kube-controller-manager and kube-proxy.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use harness::{Deadline, Process, paths};
use kube::config::{KubeConfigOptions, Kubeconfig};

use super::credentials::Credentials;
use super::kubectl::Kubectl;
use crate::machine::Node;

const ETCD: &str = "http://127.0.0.1:2379";

/// The controllers that tests need. Those of nodes would evict Pods of a node without a kubelet.
const CONTROLLERS: [&str; 11] = [
    "endpointslice-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "deployment-controller",
    "replicaset-controller",
    "daemonset-controller",
    "job-controller",
    "disruption-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "root-ca-certificate-publisher-controller",
];

/// As long as the slowest machine takes to start the API server.
const PATIENCE: Duration = Duration::from_secs(90);

/// The running programs. Dropping them ends them.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    processes: Vec<(&'static str, Process)>,
    credentials: Credentials,
}

impl ControlPlane {
    /// Starts all of them and waits until a Service has an address that leads somewhere.
    pub(crate) async fn start(node: &Node) -> Result<Self> {
        let credentials = Credentials::write(node, &node.directory().join("credentials")).await?;
        let mut plane = Self { processes: Vec::new(), credentials };
        plane.spawn(node, "etcd", "etcd", etcd(&node.directory()))?;
        let api = api_server(node, &plane.credentials);
        plane.spawn(node, "kubernetes", "kube-apiserver", api)?;
        plane.until_ready().await?;
        let controllers = controller_manager(&plane.credentials);
        plane.spawn(node, "kubernetes", "kube-controller-manager", controllers)?;
        let proxy = proxy(node, &plane.credentials);
        plane.spawn(node, "kubernetes", "kube-proxy", proxy)?;
        Ok(plane)
    }

    /// The kubeconfig of a user who may do everything.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.credentials.kubeconfig
    }

    /// A client with the same rights.
    pub(crate) async fn client(&self) -> Result<kube::Client> {
        let config = Kubeconfig::read_from(self.kubeconfig())?;
        let mut config = kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await?;
        config.connect_timeout = Some(Duration::from_secs(5));
        Ok(kube::Client::try_from(config)?)
    }

    /// A kubectl with the same rights.
    pub(crate) fn kubectl(&self, directory: &Path) -> Result<Kubectl> {
        Kubectl::new(self.kubeconfig(), directory)
    }

    /// Fails, with what it printed, when one of the programs has ended.
    pub(crate) fn still_runs(&mut self) -> Result<()> {
        self.processes.iter_mut().try_for_each(|(name, process)| process.still_runs().context(*name))
    }

    fn spawn(&mut self, node: &Node, family: &str, name: &'static str, arguments: Vec<String>) -> Result<()> {
        let program = paths::world_program(family, name)?;
        self.processes.push((name, node.spawn(name, &[], &program, &arguments)?));
        Ok(())
    }

    async fn until_ready(&mut self) -> Result<()> {
        let client = self.client().await?;
        let deadline = Deadline::of_costly("the API server to be ready", PATIENCE);
        while let Err(error) = ready(&client).await {
            self.still_runs()?;
            deadline.pause().await.context(error)?;
        }
        Ok(())
    }
}

async fn ready(client: &kube::Client) -> Result<()> {
    // That includes the roles that the server makes for itself.
    client.request_text(http::Request::get("/readyz").body(Vec::new())?).await?;
    Ok(())
}

fn etcd(directory: &Path) -> Vec<String> {
    vec![
        format!("--data-dir={}", directory.join("etcd").display()),
        format!("--listen-client-urls={ETCD}"),
        format!("--advertise-client-urls={ETCD}"),
        // It goes away with the world: nothing is gained by waiting for the disk.
        "--unsafe-no-fsync".to_owned(),
    ]
}

fn api_server(node: &Node, credentials: &Credentials) -> Vec<String> {
    vec![
        format!("--etcd-servers={ETCD}"),
        "--bind-address=0.0.0.0".to_owned(),
        format!("--advertise-address={}", node.address()),
        "--secure-port=6443".to_owned(),
        format!("--tls-cert-file={}", credentials.certificate.display()),
        format!("--tls-private-key-file={}", credentials.key.display()),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", credentials.certificate.display()),
        format!("--service-account-signing-key-file={}", credentials.key.display()),
        format!("--service-cluster-ip-range={}", node.services()),
        "--authorization-mode=RBAC".to_owned(),
        format!("--token-auth-file={}", credentials.tokens.display()),
        "--allow-privileged".to_owned(),
        // A tenth of its time until it is ready, for what few clients need not share.
        "--enable-priority-and-fairness=false".to_owned(),
    ]
}

fn controller_manager(credentials: &Credentials) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", credentials.kubeconfig.display()),
        format!("--controllers={}", CONTROLLERS.join(",")),
        "--leader-elect=false".to_owned(),
        "--use-service-account-credentials=false".to_owned(),
        format!("--service-account-private-key-file={}", credentials.key.display()),
        format!("--root-ca-file={}", credentials.authority.display()),
    ]
}

fn proxy(node: &Node, credentials: &Credentials) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", credentials.kubeconfig.display()),
        "--proxy-mode=iptables".to_owned(),
        format!("--hostname-override={}", node.name()),
        // Pods on one bridge answer each other directly, past the node, unless it stands between them.
        "--masquerade-all".to_owned(),
        // Its limits are the machine's, which stay as they are.
        "--conntrack-max-per-core=0".to_owned(),
        "--conntrack-tcp-timeout-established=0s".to_owned(),
        "--conntrack-tcp-timeout-close-wait=0s".to_owned(),
        "--iptables-min-sync-period=50ms".to_owned(),
        "--healthz-bind-address=127.0.0.1:10256".to_owned(),
        "--metrics-bind-address=127.0.0.1:10249".to_owned(),
    ]
}
