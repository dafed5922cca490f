//! The hosts that the manifests name, with their names, on the node.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use harness::{GitHttp, Repository, TlsFront, certify, paths};
use serde_json::Value;

use super::charts;
use super::chat::Chat;
use super::files::Files;
use super::ssh::Ssh;
use crate::machine::{Node, wait_for};

/// The names that they have in the manifests.
pub(crate) const NAMES: [&str; 5] = [
    "git.example",
    "github.com",
    "charts.jetstack.io",
    "istio-release.storage.googleapis.com",
    "chat.example",
];

/// The charts of Istio. All of them have one version.
const ISTIO: [&str; 4] = ["base", "istiod", "cni", "ztunnel"];

/// Running servers. Dropping them stops them.
#[derive(Debug)]
pub(crate) struct Hosts {
    _front: TlsFront,
    _git: [GitHttp; 2],
    _charts: [Files; 2],
    istio: PathBuf,
    chat: Chat,
    ssh: Ssh,
}

/// The files of the authority that vouches for all of them: `ca.pem`, and `webhook.pem` with its key for
/// cert-manager.
pub(crate) async fn authority(node: &Node) -> Result<PathBuf> {
    let directory = node.directory().join("hosts");
    fs::create_dir_all(&directory)?;
    let names: Vec<_> = NAMES.iter().map(|name| format!("DNS:{name}")).collect();
    let webhook = "DNS:cert-manager-webhook.cert-manager.svc";
    certify(&directory, &[("hosts", &names.join(",")), ("webhook", webhook)]).await?;
    // The webhook runs as a user of its own.
    fs::set_permissions(directory.join("webhook.key"), fs::Permissions::from_mode(0o644))?;
    Ok(directory)
}

impl Hosts {
    /// Serves two repositories as `platform/hfi.git` and `sre/fault-policies.git` of `git.example`, the CRDs of
    /// the Gateway API, and charts at the versions that `flux/` asks for.
    pub(crate) async fn start(
        node: &Node,
        authority: &Path,
        platform: &Repository,
        policies: &Repository,
    ) -> Result<Self> {
        let own = authority.join("git.example");
        place(&platform.bare(), &own.join("platform/hfi.git"))?;
        place(&policies.bare(), &own.join("sre/fault-policies.git"))?;
        let others = authority.join("github.com");
        let gateway_api = gateway_api(&authority.join("gateway-api")).await?;
        place(&gateway_api, &others.join("kubernetes-sigs/gateway-api"))?;
        let jetstack = authority.join("charts.jetstack.io");
        fs::create_dir_all(&jetstack)?;
        let version = charts::wanted("flux/components/certs/cert-manager/release.yaml")?;
        charts::publish(&jetstack, &[&version], &["cert-manager"]).await?;
        let storage = authority.join("istio-release.storage.googleapis.com");
        let istio = storage.join("charts");
        fs::create_dir_all(&istio)?;
        let version = charts::wanted("flux/components/istio/mesh/base.yaml")?;
        charts::publish(&istio, &[&version], &ISTIO).await?;
        let ssh = Ssh::start(node, &own).await?;
        let (own, others) = (GitHttp::start(&own).await?, GitHttp::start(&others).await?);
        let chat = Chat::start().await?;
        let (jetstack, storage) = (Files::serve(&jetstack).await?, Files::serve(&storage).await?);
        let servers = [own.address(), others.address(), jetstack.address, storage.address, chat.address];
        let route = move |name: &str| {
            NAMES.into_iter().zip(servers).find(|(host, _)| *host == name).map(|(_, server)| server)
        };
        let (certificate, key) = (authority.join("hosts.pem"), authority.join("hosts.key"));
        let front = TlsFront::start((node.address(), 443).into(), &certificate, &key, route).await?;
        Ok(Self { _front: front, _git: [own, others], _charts: [jetstack, storage], istio, chat, ssh })
    }

    /// Has these versions of Istio's charts from now on, and no others.
    pub(crate) async fn publish_istio(&self, versions: &[&str]) -> Result<()> {
        charts::publish(&self.istio, versions, &ISTIO).await
    }

    /// The chat of the people on call.
    pub(crate) fn chat(&self) -> &Chat {
        &self.chat
    }

    /// The same repositories over SSH.
    pub(crate) fn ssh(&self) -> &Ssh {
        &self.ssh
    }
}

/// Lets a repository be found at another place.
fn place(repository: &Path, at: &Path) -> Result<()> {
    fs::create_dir_all(at.parent().context("a place without a directory")?)?;
    Ok(symlink(repository, at)?)
}

/// A repository of the Gateway API with its CRDs, and the tag that `flux/` asks for.
async fn gateway_api(directory: &Path) -> Result<PathBuf> {
    let source = paths::workspace().join("flux/components/gateway-api/source.yaml");
    let source: Value = serde_yaml::from_str(&fs::read_to_string(source)?)?;
    let tag = source.pointer("/spec/ref/tag").and_then(Value::as_str).context("no tag")?.to_owned();
    fs::create_dir_all(directory.join("config"))?;
    let (from, to) = (paths::world_program("charts", "gateway-api")?, directory.join("config/crd"));
    wait_for("cp", &["-R".to_owned(), from.display().to_string(), to.display().to_string()]).await?;
    let here = directory.display().to_string();
    let person = ["-c", "user.name=Gateway API", "-c", "user.email=gateway-api@example.com"];
    let steps: [&[&str]; 4] = [
        &["init", "--quiet"],
        &["add", "--all"],
        &["commit", "--quiet", "--message", "The CRDs"],
        &["tag", &tag],
    ];
    for step in steps {
        wait_for("git", &[&["-C", here.as_str()], &person[..], step].concat()).await?;
    }
    Ok(directory.join(".git"))
}
