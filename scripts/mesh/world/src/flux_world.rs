//! A cluster that gets Istio and hfi from Flux.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use harness::{Repository, paths};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use kubelet::{Images, Program};
use serde_json::Value;

use crate::flux::{self, Balancer, CertManager, Elsewhere, Hosts};
use crate::istio::{Metrics, without_metadata};
use crate::machine::{Node, wait_for};
use crate::pods::{self, Outside};
use crate::world::World;

/// What keeps out of the configuration of an upstream Envoy the things that only Istio's own has.
const UPSTREAM_ENVOY: [(&str, &str); 4] = [
    ("PILOT_ENABLE_METADATA_EXCHANGE", "false"),
    ("PILOT_ENABLE_ALPN_FILTER", "false"),
    ("PILOT_DISABLE_MX_ALPN", "true"),
    ("PILOT_ENABLE_AGENTGATEWAY", "false"),
];

/// A running cluster with Flux, and the hosts that `flux/` names. Dropping it ends all of it.
#[expect(missing_debug_implementations, reason = "a world has none")]
pub struct FluxWorld {
    platform: Repository,
    policies: Repository,
    /// None in a cluster that had a mesh before Flux.
    stand_ins: Option<StandIns>,
    hosts: Hosts,
    world: World,
}

/// What takes the place of the parts of a cloud, and of programs that no registry has.
struct StandIns {
    certificates: CertManager,
    _elsewhere: Elsewhere,
    _balancer: Balancer,
}

/// A link of a stack: a Kustomization of Flux.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// True if Flux has applied what it is to apply, and found it healthy.
    pub is_ready: bool,
    /// The commit that it has applied last, with its branch.
    pub revision: String,
    /// What Flux says of it.
    pub message: String,
}

impl FluxWorld {
    /// Starts a cluster with Flux and without Istio, and moves the calling thread onto its node, as
    /// [`World::start`] does. Pods run Istio, hfi, a stand-in for cert-manager, and these images.
    pub async fn start(images: Images, cert_manager: &Path) -> Result<Self> {
        let node = Node::enter()?;
        let directory = node.directory();
        let started = async {
            let authority = flux::authority(&node).await?;
            let images = CertManager::images(images, &authority, cert_manager);
            let images = images.with("*/pilot:*", istiod()?);
            let mut world = Self::on(node, images, &authority).await?;
            let client = world.world.client();
            let (node, kubectl) = world.world.node();
            let elsewhere = Elsewhere::start(client.clone(), &node.name()).await?;
            flux::install(node, kubectl, &flux::CONTROLLERS).await?;
            world.stand_ins = Some(StandIns {
                certificates: CertManager::start(client.clone(), authority),
                _elsewhere: elsewhere,
                _balancer: Balancer::start(client),
            });
            Ok::<_, anyhow::Error>(world)
        };
        started.await.with_context(|| format!("{} has the logs", directory.display()))
    }

    /// Starts a cluster that has Istio, with the controllers of Flux that read Git and apply what is there. Pods run
    /// these images, and these of hfi.
    pub async fn beside_istio(images: Images, of_hfi: Vec<(String, Program)>) -> Result<Self> {
        let node = Node::enter()?;
        let directory = node.directory();
        let started = async {
            let authority = flux::authority(&node).await?;
            let certificate = authority.join("ca.pem");
            let images = of_hfi.into_iter().fold(images, |images, (name, program)| {
                images.with(&name, program.file(pods::AUTHORITIES, &certificate))
            });
            let mut world = Self::on(node, images, &authority).await?;
            world.world.install_istio().await?;
            let (node, kubectl) = world.world.node();
            flux::install(node, kubectl, &flux::APPLYING).await?;
            Ok::<_, anyhow::Error>(world)
        };
        started.await.with_context(|| format!("{} has the logs", directory.display()))
    }

    /// A cluster and the hosts, with an authority that vouches for them.
    async fn on(node: Node, images: Images, authority: &Path) -> Result<Self> {
        let (platform, policies) = (flux::checkout().await?, Repository::new().await?);
        let hosts = Hosts::start(&node, authority, &platform, &policies).await?;
        let certificate = authority.join("ca.pem");
        let images = flux::images(images, &certificate)?;
        let outside = Outside { names: &flux::NAMES, authority: Some(&certificate) };
        let world = World::without_istio(node, images, outside).await?;
        Ok(Self { platform, policies, stand_ins: None, hosts, world })
    }

    /// The cluster itself.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The same, to wait for something in it.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// The repository that is `https://git.example/platform/hfi.git`: this checkout.
    pub fn platform(&self) -> &Repository {
        &self.platform
    }

    /// The repository that is `https://git.example/sre/fault-policies.git`.
    pub fn policies(&self) -> &Repository {
        &self.policies
    }

    /// Takes out of the waypoints what only Istio's own Envoy has. Istio's CRDs must be there.
    pub async fn make_waypoints_plain(&self) -> Result<()> {
        self.world.apply(&[without_metadata()]).await
    }

    /// The private key of a person who signs commits; the public one is beside it.
    pub async fn key(&self, person: &str) -> Result<PathBuf> {
        let key = self.world.directory().join("people").join(person);
        if !key.exists() {
            fs::create_dir_all(self.world.directory().join("people"))?;
            let file = key.display().to_string();
            wait_for("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", person, "-f", &file]).await?;
        }
        Ok(key)
    }

    /// The private key that `git@git.example` lets in, and the line of `known_hosts` for it.
    pub fn ssh(&self) -> Result<(PathBuf, String)> {
        Ok((self.hosts.ssh().client_key(), self.hosts.ssh().known_host()?))
    }

    /// The manifests of Flux, as `flux install --export` prints them: without what flux/README.md adds.
    pub async fn flux_manifests(&self) -> Result<String> {
        let (node, kubectl) = self.world.node();
        flux::manifests(node, kubectl).await
    }

    /// Lets the repository of Istio's charts have these versions, and no others.
    pub async fn publish_istio(&self, versions: &[&str]) -> Result<()> {
        self.hosts.publish_istio(versions).await
    }

    /// What the chat at `https://chat.example` was sent.
    pub fn messages(&self) -> Vec<String> {
        self.hosts.chat().messages()
    }

    /// Lets cert-manager sign, or not.
    pub fn cert_manager_signs(&self, signs: bool) -> Result<()> {
        let stand_ins = self.stand_ins.as_ref().context("this world has no cert-manager")?;
        stand_ins.certificates.signs(signs);
        Ok(())
    }

    /// Fails, with what it printed, when a program of the cluster has ended.
    pub fn still_runs(&mut self) -> Result<()> {
        self.world.still_runs()
    }

    /// Runs kubectl to its end, as a user who may do everything, and returns what it printed.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.world.kubectl(arguments).await
    }

    /// The links that the cluster has.
    pub async fn links(&self) -> Result<Vec<Link>> {
        let kind = GroupVersionKind::gvk("kustomize.toolkit.fluxcd.io", "v1", "Kustomization");
        let links = Api::<DynamicObject>::all_with(self.world.client(), &ApiResource::from_gvk(&kind));
        Ok(links.list(&ListParams::default()).await?.iter().map(Link::of).collect())
    }

    /// Ends it, as [`World::end`] does.
    pub async fn end(self) -> Result<()> {
        let pods = Api::<Pod>::namespaced(self.world.client(), "istio-system");
        for pod in pods.list(&ListParams::default().labels("app=istiod")).await? {
            let address =
                pod.status.and_then(|status| status.pod_ip).context("an istiod without an address")?;
            let rejected = Metrics::of(address.parse()?)?.rejected().await?;
            ensure!(rejected.is_empty(), "istiod counts what was rejected: {rejected:?}");
        }
        self.world.end().await
    }
}

impl Link {
    fn of(object: &DynamicObject) -> Self {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let conditions = object.data.pointer("/status/conditions").and_then(Value::as_array);
        let is_ready = |condition: &&Value| condition.get("type").is_some_and(|kind| kind == "Ready");
        let ready = conditions.into_iter().flatten().find(is_ready);
        let of_ready = |field| ready.and_then(|ready| ready.get(field));
        let is_seen = of_ready("observedGeneration").and_then(Value::as_i64) == object.metadata.generation;
        Self {
            name: object.metadata.name.clone().unwrap_or_default(),
            is_ready: is_seen && of_ready("status").is_some_and(|status| status == "True"),
            revision: text(object.data.pointer("/status/lastAppliedRevision")),
            message: text(of_ready("message")),
        }
    }
}

/// Istio's image of istiod.
fn istiod() -> Result<Program> {
    let program = paths::world_program("istio", "pilot-discovery")?;
    let program = Program::at("/usr/local/bin/pilot-discovery", program).user(1337, 1337);
    Ok(UPSTREAM_ENVOY.iter().fold(program, |program, (name, value)| program.variable(name, value)))
}
