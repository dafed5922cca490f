//! A cluster of one Node.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use harness::{Deadline, KubeApi};
use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kubelet::{Config, Images, Kubelet, Network, Program, RunName};
use serde_json::{Value, json};
use tempfile::TempDir;

/// An API server, and a kubelet in this process.
pub(super) struct Node {
    pub(super) kubelet: Kubelet,
    pub(super) api: Api,
    run: String,
    _folder: TempDir,
}

/// The API server alone.
pub(super) struct Api {
    pub(super) server: KubeApi,
}

pub(super) const PATIENCE: Duration = Duration::from_secs(60);

impl Node {
    /// Starts one whose images are `shell` and `python`.
    pub(super) async fn start() -> Result<Self> {
        kubelet::check()?;
        let api = Api::start().await?;
        let folder = tempfile::tempdir()?;
        let run = RunName::unique("kt")?;
        let name = run.to_string();
        let network = Network::create(run, subnet(), 24).await?;
        let images = Images::new()
            .with("shell", Program::installed(&["sh", "-c"]))
            .with("python", Program::installed(&["python3"]));
        let mut config = Config::new(api.client().await?, "node-1", folder.path(), network, images);
        config.backoff = Duration::from_millis(100);
        let kubelet = Kubelet::start(config).await?;
        Ok(Self { kubelet, api, run: name, _folder: folder })
    }

    /// Stops the kubelet. Fails if anything of it is left.
    pub(super) async fn stop(self) -> Result<()> {
        self.kubelet.stop().await?;
        no_names_of(&self.run).await
    }

    /// All that a container has printed.
    pub(super) fn log(&self, pod: &str, container: &str) -> String {
        std::fs::read_to_string(self.kubelet.log("demo", pod, container)).unwrap_or_default()
    }

    /// Waits until a container has printed something.
    pub(super) async fn until_log(&self, pod: &str, container: &str, text: &str) -> Result<()> {
        let deadline = Deadline::of_costly("a line in a log", PATIENCE);
        while !self.log(pod, container).contains(text) {
            deadline.pause().await.with_context(|| format!("{text:?} in {:?}", self.log(pod, container)))?;
        }
        Ok(())
    }
}

impl Api {
    pub(super) async fn start() -> Result<Self> {
        let server = KubeApi::empty().await?;
        server.create_namespace("demo").await?;
        Ok(Self { server })
    }

    /// The file for one who may do everything.
    pub(super) fn kubeconfig(&self) -> Result<std::path::PathBuf> {
        self.server.kubeconfig("admin", &self.server.url())
    }

    pub(super) async fn client(&self) -> Result<Client> {
        let kubeconfig = Kubeconfig::read_from(self.kubeconfig()?)?;
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        Ok(Client::try_from(config)?)
    }

    /// Creates an object of the core API.
    pub(super) async fn create(&self, plural: &str, name: &str, rest: Value) -> Result<()> {
        let mut object = rest;
        let fields = object.as_object_mut().context("an object")?;
        fields.insert("metadata".to_owned(), json!({"name": name, "namespace": "demo"}));
        let path = format!("/api/v1/namespaces/demo/{plural}");
        self.server.ask("POST", &path, &[], &object.to_string()).await?;
        Ok(())
    }

    /// Creates a Pod with this spec.
    pub(super) async fn run(&self, name: &str, spec: Value) -> Result<()> {
        self.create("pods", name, json!({"spec": spec})).await
    }

    /// Changes a part of an object.
    pub(super) async fn patch(&self, plural: &str, name: &str, patch: Value) -> Result<()> {
        let path = format!("/api/v1/namespaces/demo/{plural}/{name}");
        let merge = [("content-type", "application/merge-patch+json")];
        self.server.ask("PATCH", &path, &merge, &patch.to_string()).await?;
        Ok(())
    }

    pub(super) async fn delete(&self, name: &str) -> Result<()> {
        self.server.ask("DELETE", &format!("/api/v1/namespaces/demo/pods/{name}"), &[], "").await?;
        Ok(())
    }

    /// Waits until a Pod is as it should be.
    pub(super) async fn until(
        &self,
        name: &str,
        what: &'static str,
        good: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let deadline = Deadline::of_costly(what, PATIENCE);
        loop {
            let pod = self.server.get(&format!("/api/v1/namespaces/demo/pods/{name}")).await?;
            if good(&pod) {
                return Ok(pod);
            }
            deadline.pause().await.with_context(|| format!("{:?}", pod.get("status")))?;
        }
    }

    /// Waits until a Pod is ready.
    pub(super) async fn until_ready(&self, name: &str) -> Result<Value> {
        self.until(name, "a Pod to be ready", |pod| condition(pod, "Ready") == "True").await
    }

    /// Waits until a Pod is gone.
    pub(super) async fn until_gone(&self, name: &str) -> Result<()> {
        let deadline = Deadline::of_costly("a Pod to be gone", PATIENCE);
        while let Ok(pod) = self.server.get(&format!("/api/v1/namespaces/demo/pods/{name}")).await {
            deadline.pause().await.with_context(|| format!("{:?}", pod.get("status")))?;
        }
        Ok(())
    }
}

/// The status of a condition, or nothing.
pub(super) fn condition(pod: &Value, kind: &str) -> String {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array).cloned().unwrap_or_default();
    let found = conditions.iter().find(|condition| condition["type"] == kind);
    found.and_then(|condition| condition.get("status")?.as_str()).unwrap_or_default().to_owned()
}

/// Waits until no network namespace and no link has a name with this beginning.
pub(super) async fn no_names_of(beginning: &str) -> Result<()> {
    let deadline = Deadline::of_costly("names of namespaces and links to be gone", PATIENCE);
    loop {
        let names =
            ["/var/run/netns", "/sys/class/net"].into_iter().flat_map(|place| names(Path::new(place)));
        let left: Vec<_> = names.filter(|name| name.starts_with(beginning)).collect();
        if left.is_empty() {
            return Ok(());
        }
        deadline.pause().await.with_context(|| format!("{left:?}"))?;
    }
}

fn names(place: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// A network for each test of this process.
pub(super) fn subnet() -> std::net::Ipv4Addr {
    use std::sync::atomic::{AtomicU8, Ordering};
    static COUNTER: AtomicU8 = AtomicU8::new(0);
    [10, 222, COUNTER.fetch_add(1, Ordering::Relaxed), 1].into()
}
