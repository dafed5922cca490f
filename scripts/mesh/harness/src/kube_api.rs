//! A real API server of Kubernetes, with etcd behind it, and nothing else of a cluster: what is written
//! stays as it is, and nobody acts on it.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::http::{Method, Request};
use kube::config::{KubeConfigOptions, Kubeconfig};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::system::Deadline;
use crate::system::Process;
use crate::system::certify;
use crate::system::loopback;
use crate::system::paths;

const PATIENCE: Duration = Duration::from_secs(60);

/// The users, with their tokens and groups.
const TOKENS: &str = "\
admin,admin,admin,system:masters\n\
hfi,system:serviceaccount:boifi:hfi-control-plane,hfi,\"system:serviceaccounts,system:serviceaccounts:boifi\"\n\
nobody,nobody,nobody\n";

/// A running server. Dropping it stops it.
#[expect(missing_debug_implementations, reason = "a client has none")]
pub struct KubeApi {
    etcd: Process,
    server: Process,
    etcd_url: String,
    address: SocketAddr,
    admin: kube::Client,
    folder: TempDir,
}

impl KubeApi {
    /// Starts one that is empty but for the namespaces `boifi` and `demo`, and what `k8s/base` says of
    /// who may do what.
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("tokens.csv"), TOKENS)?;
        certify(folder.path(), &[]).await?;
        let etcd_url = format!("http://{}", free()?);
        let etcd = start_etcd(folder.path(), &etcd_url)?;
        let address = free()?;
        let server = start_server(folder.path(), &etcd_url, address)?;
        let admin = client(config(folder.path(), &url(address), "admin")).await?;
        let mut api = Self { etcd, server, etcd_url, address, admin, folder };
        api.until_ready().await?;
        for namespace in ["boifi", "demo"] {
            api.create_namespace(namespace).await?;
        }
        for manifest in ["k8s/base/crd.yaml", "k8s/base/rbac.yaml"] {
            api.apply(&paths::workspace().join(manifest)).await?;
        }
        Ok(api)
    }

    /// A kubeconfig of the user that has this token: `admin`, `hfi` (the service account of the control plane),
    /// or `nobody`, who may do nothing. `url` is where the server is taken to be.
    pub fn kubeconfig(&self, token: &str, url: &str) -> Result<PathBuf> {
        let path = self.folder.path().join(format!("{token}.kubeconfig"));
        std::fs::write(&path, config(self.folder.path(), url, token).to_string())?;
        Ok(path)
    }

    /// The URL that it listens at.
    pub fn url(&self) -> String {
        url(self.address)
    }

    /// Asks the server as its admin. What is sent and what is wanted is JSON, unless `headers` say
    /// something else.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Value> {
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes())?).uri(path);
        let is_typed = headers.iter().any(|(name, _)| *name == "content-type");
        let json = Some(&("content-type", "application/json")).filter(|_| !is_typed);
        for (name, value) in headers.iter().chain(json) {
            request = request.header(*name, *value);
        }
        let request = request.body(body.as_bytes().to_vec())?;
        Ok(self.admin.request(request).await?)
    }

    /// The object at a path.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.ask("GET", path, &[], "").await
    }

    /// Creates or changes what a file of manifests says.
    pub async fn apply(&self, manifests: &Path) -> Result<()> {
        let text =
            std::fs::read_to_string(manifests).with_context(|| format!("reading {}", manifests.display()))?;
        for document in text.split("\n---\n") {
            let object: Value = serde_yaml::from_str(document)?;
            let path = path_of(&object).context("a manifest without kind or name")?;
            let headers = [("content-type", "application/apply-patch+yaml")];
            self.ask("PATCH", &format!("{path}?fieldManager=test&force=true"), &headers, &object.to_string())
                .await
                .with_context(|| format!("applying {path}"))?;
        }
        Ok(())
    }

    /// Creates a namespace.
    pub async fn create_namespace(&self, name: &str) -> Result<()> {
        let namespace = json!({"metadata": {"name": name}});
        self.ask("POST", "/api/v1/namespaces", &[], &namespace.to_string()).await?;
        Ok(())
    }

    /// Deletes a namespace to the end, as the namespace controller does that is missing here.
    pub async fn delete_namespace(&self, name: &str) -> Result<()> {
        let path = format!("/api/v1/namespaces/{name}");
        let mut namespace = self.ask("DELETE", &path, &[], "").await?;
        if let Some(spec) = namespace.get_mut("spec") {
            *spec = json!({"finalizers": []});
        }
        self.ask("PUT", &format!("{path}/finalize"), &[], &namespace.to_string()).await?;
        Ok(())
    }

    /// Ends it without warning (SIGKILL). What was written stays.
    pub async fn kill(&mut self) -> Result<()> {
        self.server.kill().await
    }

    /// Starts it again, at the same address.
    pub async fn restart(&mut self) -> Result<()> {
        self.server = start_server(self.folder.path(), &self.etcd_url, self.address)?;
        self.until_ready().await
    }

    /// Makes it hang, with every connection open, or go on.
    pub fn hang(&self, hangs: bool) -> Result<()> {
        self.server.signal(if hangs { Signal::STOP } else { Signal::CONT })
    }

    async fn until_ready(&mut self) -> Result<()> {
        let deadline = Deadline::of("the API server to be ready", PATIENCE);
        // The roles that the server makes for itself come last.
        let last = "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:basic-user";
        while let Err(error) = self.get(last).await {
            self.etcd.still_runs()?;
            self.server.still_runs()?;
            deadline.pause().await.context(error)?;
        }
        Ok(())
    }
}

async fn client(config: Value) -> Result<kube::Client> {
    let config: Kubeconfig = serde_json::from_value(config)?;
    let mut config = kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await?;
    config.read_timeout = Some(PATIENCE);
    Ok(kube::Client::try_from(config)?)
}

fn config(folder: &Path, url: &str, token: &str) -> Value {
    let server = json!({
        "server": url,
        "certificate-authority": folder.join("ca.pem"),
    });
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": server}],
        "users": [{"name": token, "user": {"token": token}}],
        "contexts": [{
            "name": "test",
            "context": {"cluster": "test", "user": token, "namespace": "boifi"},
        }],
        "current-context": "test",
    })
}

fn url(address: SocketAddr) -> String {
    format!("https://{address}")
}

/// An address that nobody has.
fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind(loopback())?.local_addr()?)
}

fn start_etcd(folder: &Path, url: &str) -> Result<Process> {
    let peers = format!("http://{}", free()?);
    let arguments = [
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={url}"),
        format!("--advertise-client-urls={url}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
    ];
    Process::spawn(Path::new("/usr/bin/etcd"), &arguments.map(Into::into), &folder.join("etcd.log"))
}

fn start_server(folder: &Path, etcd: &str, address: SocketAddr) -> Result<Process> {
    let file = |name: &str| folder.join(name).display().to_string();
    let arguments = [
        format!("--etcd-servers={etcd}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", address.port()),
        format!("--tls-cert-file={}", file("server.pem")),
        format!("--tls-private-key-file={}", file("server.key")),
        format!("--token-auth-file={}", file("tokens.csv")),
        "--authorization-mode=RBAC".to_owned(),
        "--service-account-issuer=https://kubernetes.invalid".to_owned(),
        format!("--service-account-key-file={}", file("server.pem")),
        format!("--service-account-signing-key-file={}", file("server.key")),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        "--disable-admission-plugins=ServiceAccount".to_owned(),
    ];
    let binary = paths::kube_apiserver()?;
    Process::spawn(&binary, &arguments.map(Into::into), &folder.join("kube-apiserver.log"))
}

/// The path of an object.
fn path_of(object: &Value) -> Option<String> {
    let version = object.get("apiVersion")?.as_str()?;
    let root = if version.contains('/') { "apis" } else { "api" };
    let plural = format!("{}s", object.get("kind")?.as_str()?.to_lowercase());
    let metadata = object.get("metadata")?;
    let name = metadata.get("name")?.as_str()?;
    let namespace = metadata.get("namespace").and_then(Value::as_str);
    let within = namespace.map(|namespace| format!("/namespaces/{namespace}")).unwrap_or_default();
    Some(format!("/{root}/{version}{within}/{plural}/{name}"))
}
