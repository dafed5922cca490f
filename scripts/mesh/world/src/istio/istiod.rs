//! istiod as a program on the node.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Deadline, Process, paths};
use serde_json::{Value, json};

use super::debugging;
use super::manifests::{Manifests, NAMESPACE};
use super::metrics::Metrics;
use super::waypoint;
use crate::kubernetes::Kubectl;
use crate::machine::Node;

const PATIENCE: Duration = Duration::from_secs(90);

/// What depends on istiod's Pod, and what keeps out of the configuration of an upstream Envoy the things that only
/// Istio's own has.
const ENVIRONMENT: [(&str, &str); 9] = [
    ("POD_NAMESPACE", NAMESPACE),
    ("POD_NAME", "istiod-0"),
    ("SERVICE_ACCOUNT", "istiod"),
    ("ENABLE_LEADER_ELECTION", "false"),
    ("PILOT_ENABLE_AMBIENT", "true"),
    ("PILOT_ENABLE_METADATA_EXCHANGE", "false"),
    ("PILOT_ENABLE_ALPN_FILTER", "false"),
    ("PILOT_DISABLE_MX_ALPN", "true"),
    ("PILOT_ENABLE_AGENTGATEWAY", "false"),
];

/// An istiod. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Istiod {
    launch: Launch,
    /// None while it is away.
    process: Option<Process>,
    metrics: Metrics,
    mesh: PathBuf,
}

/// Everything that its start needs.
#[derive(Debug)]
struct Launch {
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    starts: u32,
}

impl Launch {
    /// Starts the program. Each start has a log of its own: `istiod.log`, `istiod-2.log`…
    fn start(&mut self, node: &Node) -> Result<Process> {
        self.starts += 1;
        let name = if self.starts == 1 { "istiod".to_owned() } else { format!("istiod-{}", self.starts) };
        let environment = self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let environment: Vec<_> = environment.chain(ENVIRONMENT).collect();
        node.spawn(&name, &environment, &paths::world_program("istio", "pilot-discovery")?, &self.arguments)
    }
}

impl Istiod {
    /// Applies Istio's manifests, starts istiod, and waits until it injects Pods.
    pub(crate) async fn start(node: &Node, kubectl: &Kubectl) -> Result<Self> {
        kubectl.apply_file(&paths::world_program("istio", "crds.yaml")?).await?;
        kubectl.run(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]).await?;
        let manifests = Manifests::render(node).await?;
        kubectl.apply(&manifests.before).await?;
        let mesh = node.directory().join("mesh.json");
        fs::write(&mesh, manifests.mesh.to_string())?;
        let kubeconfig = node.directory().join("credentials/kubeconfig");
        let mut arguments = manifests.arguments;
        arguments.extend([
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--meshConfig={}", mesh.display()),
            "--networksConfig=/nonexistent".to_owned(),
            "--ctrlz_port=0".to_owned(),
            format!("--httpAddr={}", debugging::ADDRESS),
        ]);
        let mut launch = Launch { environment: manifests.environment, arguments, starts: 0 };
        let process = Some(launch.start(node)?);
        let mut istiod = Self { launch, process, metrics: Metrics::of(node.address())?, mesh };
        let authority = ["get", "configmap", "--namespace", NAMESPACE, "istio-ca-root-cert"];
        istiod.until("istiod to publish its certificate", async || kubectl.run(&authority).await).await?;
        kubectl.apply(&manifests.webhooks).await?;
        // istiod writes its certificate into the webhooks, as in any cluster.
        istiod.until("istiod to inject Pods", async || is_injected(kubectl).await).await?;
        istiod.until("istiod to check configuration", async || is_checked(kubectl).await).await?;
        kubectl.apply(&[waypoint::without_metadata()]).await?;
        Ok(istiod)
    }

    /// Changes the mesh configuration; istiod reads it again by itself.
    pub(crate) fn configure(&self, change: impl FnOnce(&mut Value)) -> Result<()> {
        let mut mesh = serde_json::from_str(&fs::read_to_string(&self.mesh)?)?;
        change(&mut mesh);
        // By rename, since a watcher could read half of it.
        let new = self.mesh.with_extension("new");
        fs::write(&new, mesh.to_string())?;
        Ok(fs::rename(new, &self.mesh)?)
    }

    /// Fails, with what it printed, if it has ended by itself.
    pub(crate) fn still_runs(&mut self) -> Result<()> {
        self.process.as_mut().map_or(Ok(()), Process::still_runs).context("istiod")
    }

    /// Ends it without warning. Fails if it has counted anything that was rejected, since its counters end with it.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        self.still_runs()?;
        self.rejected_nothing().await?;
        if let Some(mut process) = self.process.take() {
            process.kill().await?;
        }
        Ok(())
    }

    /// Starts it again after [`stop`](Self::stop), and waits until so many proxies have found it.
    pub(crate) async fn start_again(&mut self, node: &Node, proxies: usize) -> Result<()> {
        ensure!(self.process.is_none(), "istiod runs already");
        self.process = Some(self.launch.start(node)?);
        let metrics = self.metrics.clone();
        self.until("the proxies to find istiod again", async || {
            let connected = metrics.connected().await?;
            ensure!(connected >= proxies, "{connected} of {proxies} proxies are connected");
            Ok(())
        })
        .await
    }

    /// Fails if a proxy has refused configuration, or istiod has refused or failed to make some.
    pub(crate) async fn rejected_nothing(&self) -> Result<()> {
        let rejected = self.metrics.rejected().await?;
        ensure!(rejected.is_empty(), "istiod counts what was rejected: {rejected:?}");
        Ok(())
    }

    async fn until<T>(&mut self, what: &'static str, look: impl AsyncFn() -> Result<T>) -> Result<T> {
        let deadline = Deadline::of_costly(what, PATIENCE);
        loop {
            match look().await {
                Ok(found) => return Ok(found),
                Err(error) => {
                    self.still_runs()?;
                    deadline.pause().await.context(error)?;
                }
            }
        }
    }
}

/// Asks for a Pod with a sidecar, without making one.
async fn is_injected(kubectl: &Kubectl) -> Result<()> {
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "probe", "namespace": "default", "labels": {"sidecar.istio.io/inject": "true"}},
        "spec": {"containers": [{"name": "probe", "image": "probe"}]},
    });
    let made = kubectl.would_create(&pod).await?;
    let containers = |list: &str| made.pointer(list).and_then(Value::as_array).cloned().unwrap_or_default();
    let all = [containers("/spec/initContainers"), containers("/spec/containers")].concat();
    ensure!(
        all.iter().any(|container| container.get("name").is_some_and(|name| name == "istio-proxy")),
        "{made}"
    );
    Ok(())
}

/// Asks for something that only istiod knows to be wrong, without making it.
async fn is_checked(kubectl: &Kubectl) -> Result<()> {
    let wrong = json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "probe", "namespace": "default"},
        "spec": {"hosts": ["*"], "http": [{"route": [{"destination": {"host": "probe"}}]}]},
    });
    match kubectl.would_create(&wrong).await {
        Err(error) if format!("{error:#}").contains("validation.istio.io") => Ok(()),
        Err(error) => Err(error),
        Ok(_) => anyhow::bail!("a VirtualService for every host was taken"),
    }
}
