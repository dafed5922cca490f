//! A real API server of Kubernetes, with etcd behind it, and nothing else of a cluster: what is written
//! stays as it is, and nobody acts on it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::http::{Method, Request};
use kube::config::{KubeConfigOptions, Kubeconfig};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::system::Deadline;
use crate::system::Process;
use crate::system::certify;
use crate::system::paths;

const PATIENCE: Duration = Duration::from_secs(60);

/// The users, with their tokens and groups.
const TOKENS: &str = "\
admin,admin,admin,system:masters\n\
hfi,system:serviceaccount:boifi:hfi-control-plane,hfi,\"system:serviceaccounts,system:serviceaccounts:boifi\"\n\
nobody,nobody,nobody\n";

/// Each request is logged when it comes, and when it is answered.
const AUDIT: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
rules: [{level: Metadata}]
";

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
        let api = Self::empty().await?;
        for namespace in ["boifi", "demo"] {
            api.create_namespace(namespace).await?;
        }
        for manifest in ["k8s/base/crd.yaml", "k8s/base/rbac.yaml"] {
            let text = std::fs::read_to_string(paths::workspace().join(manifest))?;
            let objects: Vec<Value> = serde_yaml::from_multiple(&text)?;
            let unknown = api.apply(&objects).await?;
            ensure!(unknown.is_empty(), "{manifest}: {unknown:?}");
        }
        Ok(api)
    }

    /// Starts one that is empty.
    pub async fn empty() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("tokens.csv"), TOKENS)?;
        std::fs::write(folder.path().join("audit.yaml"), AUDIT)?;
        let [address, etcd, peers] = free()?;
        certify(folder.path(), &[("kube-apiserver", &format!("IP:{}", address.ip()))]).await?;
        let etcd_url = format!("http://{etcd}");
        let etcd = start_etcd(folder.path(), &etcd_url, peers)?;
        let server = start_server(folder.path(), &etcd_url, address)?;
        let admin = client(config(folder.path(), &url(address), "admin")).await?;
        let mut api = Self { etcd, server, etcd_url, address, admin, folder };
        api.until_ready().await?;
        Ok(api)
    }

    /// A kubeconfig of the user that has this token: `admin`, `hfi` (the service account of the control plane),
    /// or `nobody`, who may do nothing. `url` is where the server is taken to be.
    pub fn kubeconfig(&self, token: &str, url: &str) -> Result<PathBuf> {
        let path = self.folder.path().join(format!("{token}.kubeconfig"));
        std::fs::write(&path, config(self.folder.path(), url, token).to_string())?;
        Ok(path)
    }

    /// A kubeconfig of a service account, with a token that the server issues for it.
    pub async fn kubeconfig_of(&self, namespace: &str, account: &str) -> Result<PathBuf> {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
        let wanted = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
        let issued = self.ask("POST", &path, &[], &wanted.to_string()).await?;
        let token = issued.pointer("/status/token").and_then(Value::as_str).context("no token")?;
        let file = self.folder.path().join(format!("{account}.kubeconfig"));
        std::fs::write(&file, config(self.folder.path(), &self.url(), token).to_string())?;
        Ok(file)
    }

    /// All requests of a user so far, as the audit log of the server has them.
    pub fn requests_of(&self, user: &str) -> Result<Vec<Value>> {
        let log = std::fs::read_to_string(self.folder.path().join("audit.log"))?;
        // The last line may not be whole yet.
        let requests = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let is_theirs = |request: &Value| request.pointer("/user/username").is_some_and(|name| name == user);
        Ok(requests.filter(is_theirs).collect())
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

    /// Creates or changes objects. Returns those of a kind that the server does not know.
    pub async fn apply<'o>(&self, objects: &'o [Value]) -> Result<Vec<&'o Value>> {
        let mut unknown = Vec::new();
        for object in objects {
            let Some(path) = self.path_of(object).await? else {
                unknown.push(object);
                continue;
            };
            let (collection, _) = path.rsplit_once('/').context("a path without a name")?;
            let created = self.ask("POST", collection, &[], &object.to_string()).await;
            let merge = [("content-type", "application/merge-patch+json")];
            let applied = match created {
                Err(error) if is_conflict(&error) => {
                    self.ask("PATCH", &path, &merge, &object.to_string()).await
                }
                created => created,
            };
            applied.with_context(|| format!("applying {path}"))?;
        }
        Ok(unknown)
    }

    /// Tells whether an object could be created, without a field that its kind lacks: the reason if not. Nothing is
    /// created.
    pub async fn would_create(&self, object: &Value) -> Result<Result<(), String>> {
        let path = self.path_of(object).await?.context("a kind that the server does not know")?;
        let (collection, _) = path.rsplit_once('/').context("a path without a name")?;
        let path = format!("{collection}?dryRun=All&fieldValidation=Strict");
        Ok(self
            .ask("POST", &path, &[], &object.to_string())
            .await
            .map(|_| ())
            .map_err(|error| format!("{error:#}")))
    }

    /// The path of an object, if the server knows its kind.
    async fn path_of(&self, object: &Value) -> Result<Option<String>> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let version = text("/apiVersion").context("a manifest without apiVersion")?;
        let kind = text("/kind").context("a manifest without kind")?;
        let root = if version.contains('/') { "apis" } else { "api" };
        let Ok(known) = self.get(&format!("/{root}/{version}")).await else { return Ok(None) };
        let resources = known.get("resources").and_then(Value::as_array).context("no resources")?;
        let name = resources.iter().find_map(|resource| {
            let name = resource.get("name")?.as_str()?;
            (resource.get("kind")? == kind && !name.contains('/')).then_some(name)
        });
        let Some(plural) = name else { return Ok(None) };
        let within = text("/metadata/namespace").map(|namespace| format!("/namespaces/{namespace}"));
        let name = text("/metadata/name").context("a manifest without name")?;
        Ok(Some(format!("/{root}/{version}{}/{plural}/{name}", within.unwrap_or_default())))
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
        if hangs { self.server.stop() } else { self.server.signal(Signal::CONT) }
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

/// True if the object is there already.
fn is_conflict(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<kube::Error>();
    matches!(error, Some(kube::Error::Api(status)) if status.code == 409)
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

/// Three addresses that nobody has, nor gets before they are listened at: their host is of this server alone.
fn free() -> Result<[SocketAddr; 3]> {
    static SERVERS: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let host = Ipv4Addr::new(127, SERVERS.fetch_add(1, Ordering::Relaxed), high, low);
    let listen = || TcpListener::bind((host, 0));
    let [a, b, c] = [listen()?, listen()?, listen()?];
    Ok([a.local_addr()?, b.local_addr()?, c.local_addr()?])
}

fn start_etcd(folder: &Path, url: &str, peers: SocketAddr) -> Result<Process> {
    let peers = format!("http://{peers}");
    let arguments = [
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={url}"),
        format!("--advertise-client-urls={url}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
        // It goes away with the test: nothing is gained by waiting for the disk.
        "--unsafe-no-fsync".to_owned(),
    ];
    let binary = paths::world_program("etcd", "etcd")?;
    Process::spawn(&binary, &arguments.map(Into::into), &folder.join("etcd.log"))
}

fn start_server(folder: &Path, etcd: &str, address: SocketAddr) -> Result<Process> {
    let file = |name: &str| folder.join(name).display().to_string();
    let arguments = [
        format!("--etcd-servers={etcd}"),
        format!("--bind-address={}", address.ip()),
        format!("--advertise-address={}", address.ip()),
        format!("--secure-port={}", address.port()),
        format!("--tls-cert-file={}", file("kube-apiserver.pem")),
        format!("--tls-private-key-file={}", file("kube-apiserver.key")),
        format!("--token-auth-file={}", file("tokens.csv")),
        "--authorization-mode=RBAC".to_owned(),
        "--service-account-issuer=https://kubernetes.invalid".to_owned(),
        format!("--service-account-key-file={}", file("server.pem")),
        format!("--service-account-signing-key-file={}", file("server.key")),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        format!("--audit-policy-file={}", file("audit.yaml")),
        format!("--audit-log-path={}", file("audit.log")),
    ];
    let binary = paths::world_program("kubernetes", "kube-apiserver")?;
    Process::spawn(&binary, &arguments.map(Into::into), &folder.join("kube-apiserver.log"))
}
