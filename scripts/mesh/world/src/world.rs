//! A cluster with Istio, for one test.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use harness::{Deadline, paths};
use kubelet::{Images, Kubelet};
use serde_json::Value;

use crate::istio::{self, Istiod};
use crate::kubernetes::{ControlPlane, Kubectl};
use crate::machine::{Node, inside};
use crate::pods::{self, Outside};
use crate::proxies;

/// The error of a world without an istiod of its own.
const ELSEWHERE: &str = "this world has no istiod on its node";

/// A running cluster with Istio. Dropping it ends all of it; [`end`](Self::end) also says whether all went well.
#[expect(missing_debug_implementations, reason = "a client has none")]
pub struct World {
    kubelet: Kubelet,
    /// None where Istio comes in another way.
    istiod: Option<Istiod>,
    control_plane: ControlPlane,
    kubectl: Kubectl,
    client: kube::Client,
    /// The last, since everything else runs in its namespace.
    node: Node,
}

impl World {
    /// Starts a cluster and moves the calling thread onto its node: from now on the test reaches Pods and Services,
    /// and Pods reach its servers at the address of the [node](Self::address), which is also that of `git.example`.
    /// Pods run hfi, Istio's proxies, and these images. Fails without root.
    pub async fn start(images: Images) -> Result<Self> {
        Self::start_with(images, &[]).await
    }

    /// The same with the kinds of the Gateway API, of which istiod makes gateways and waypoints.
    pub async fn start_with_gateways(images: Images) -> Result<Self> {
        Self::start_with(images, &["gateway-api.yaml"]).await
    }

    /// The same with the kinds of these files of Istio's.
    async fn start_with(images: Images, kinds: &[&str]) -> Result<Self> {
        let node = Node::enter()?;
        let directory = node.directory();
        let outside = Outside { names: &["git.example"], authority: None };
        let with_istio = async {
            let mut world = Self::without_istio(node, images, outside).await?;
            for file in kinds {
                world.kubectl.apply_file(&paths::world_program("istio", file)?).await?;
            }
            world.install_istio().await?;
            Ok::<_, anyhow::Error>(world)
        };
        with_istio.await.with_context(|| format!("{} has the logs", directory.display()))
    }

    /// The cluster alone, whose Pods find these hosts outside.
    pub(crate) async fn without_istio(node: Node, images: Images, outside: Outside<'_>) -> Result<Self> {
        let control_plane = ControlPlane::start(&node).await?;
        let kubectl = control_plane.kubectl(&node.directory())?;
        let client = control_plane.client().await?;
        let kubelet = pods::start(&node, client.clone(), images, outside).await?;
        Ok(Self { kubelet, istiod: None, control_plane, kubectl, client, node })
    }

    /// Starts istiod on the node, with what it needs in the cluster.
    pub(crate) async fn install_istio(&mut self) -> Result<()> {
        self.istiod = Some(Istiod::start(&self.node, &self.kubectl).await?);
        Ok(())
    }

    /// The kubeconfig of a user who may do everything.
    pub fn kubeconfig(&self) -> &Path {
        self.control_plane.kubeconfig()
    }

    /// A client with the same rights.
    pub fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// The address of the node, where the test can serve what Pods ask for.
    pub fn address(&self) -> Ipv4Addr {
        self.node.address()
    }

    /// The directory with the logs of all programs, `NAME.log`. It outlives the world until the next one.
    pub fn directory(&self) -> PathBuf {
        self.node.directory()
    }

    /// Runs kubectl to its end, as that user, and returns what it printed.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.kubectl.run(arguments).await
    }

    /// Creates or changes objects.
    pub async fn apply(&self, objects: &[Value]) -> Result<()> {
        self.kubectl.apply(objects).await
    }

    /// The node and what runs on it.
    pub(crate) fn node(&self) -> (&Node, &Kubectl) {
        (&self.node, &self.kubectl)
    }

    /// The kubelet, which has the logs of containers and runs commands in them.
    pub fn kubelet(&self) -> &Kubelet {
        &self.kubelet
    }

    /// Does work in the network namespace of a Pod, as the application there would: its sidecar takes part.
    pub async fn inside<T: Send + 'static>(
        &self,
        namespace: &str,
        pod: &str,
        work: impl AsyncFnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let network = self.kubelet.network_namespace(namespace, pod);
        inside(&network.with_context(|| format!("no Pod {namespace}/{pod} runs"))?, work).await
    }

    /// Changes the configuration of the mesh (MeshConfig); istiod takes it over by itself.
    pub fn configure_mesh(&self, change: impl FnOnce(&mut Value)) -> Result<()> {
        self.istiod.as_ref().context(ELSEWHERE)?.configure(change)
    }

    /// A page of istiod for debugging, such as `configz`.
    pub async fn istiod_shows(&self, page: &str) -> Result<Value> {
        istio::shows(page).await
    }

    /// Ends istiod without warning. Until it starts again, no Pod can be injected and no proxy learns anything new.
    /// Fails if istiod has counted anything that was rejected.
    pub async fn stop_istiod(&mut self) -> Result<()> {
        self.istiod.as_mut().context(ELSEWHERE)?.stop().await
    }

    /// Starts istiod again, and waits until so many proxies are connected to it.
    pub async fn start_istiod(&mut self, proxies: usize) -> Result<()> {
        self.istiod.as_mut().context(ELSEWHERE)?.start_again(&self.node, proxies).await
    }

    /// Looks again and again until `look` succeeds; fails with its last error when the time is up, and at once when a
    /// program of the world has ended.
    pub async fn wait_for<T>(
        &mut self,
        what: &'static str,
        patience: Duration,
        mut look: impl AsyncFnMut(&Self) -> Result<T>,
    ) -> Result<T> {
        let deadline = Deadline::of_costly(what, patience);
        loop {
            match look(self).await {
                Ok(found) => return Ok(found),
                Err(error) => {
                    self.still_runs()?;
                    deadline.pause().await.context(error)?;
                }
            }
        }
    }

    /// Ends it. Fails if a program has ended before, or if istiod or a proxy has rejected configuration.
    pub async fn end(mut self) -> Result<()> {
        let directory = self.directory();
        self.verdict().await.with_context(|| format!("{} has the logs", directory.display()))?;
        self.kubelet.stop().await
    }

    async fn verdict(&mut self) -> Result<()> {
        self.still_runs()?;
        if let Some(istiod) = &self.istiod {
            istiod.rejected_nothing().await?;
        }
        proxies::rejected_nothing(self.client(), &self.kubelet).await
    }

    /// Fails, with what it printed, when a program of the world has ended.
    pub(crate) fn still_runs(&mut self) -> Result<()> {
        self.control_plane.still_runs()?;
        self.istiod.as_mut().map_or(Ok(()), Istiod::still_runs)
    }
}
