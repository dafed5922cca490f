//! A race in Istio's agents: the failure to fetch the module of an older plugin ends after the success of the newer one,
//! and takes the filter away.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::extract::ConnectInfo;
use harness::{Deadline, module_at};
use http::StatusCode;
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use world::World;

use super::plugins::{POLL_WAIT, patch};
use super::pods::name;
use super::{get, proxy};

const PATIENCE: Duration = Duration::from_secs(60);

/// The setting by which the newer plugin is known: it is not what any other plugin of a test says.
const NEWER: u64 = POLL_WAIT + 1;

/// A server of a module that is not there. Agents wait for its answer, a 404, until it is dropped.
struct Held {
    address: SocketAddr,
    /// The Pods that wait.
    asked: watch::Receiver<BTreeSet<IpAddr>>,
    _release: watch::Sender<()>,
}

impl Held {
    async fn start(world: &World) -> Result<Self> {
        let listener = TcpListener::bind((world.address(), 0)).await?;
        let address = listener.local_addr()?;
        let (release, released) = watch::channel(());
        let (asking, asked) = watch::channel(BTreeSet::new());
        let answer = async move |ConnectInfo(pod): ConnectInfo<SocketAddr>| {
            asking.send_if_modified(|asked| asked.insert(pod.ip()));
            // Only the drop of the sender is awaited.
            let _ = released.clone().changed().await;
            StatusCode::NOT_FOUND
        };
        let service = Router::new().fallback(answer).into_make_service_with_connect_info::<SocketAddr>();
        // It ends with the test's runtime.
        tokio::spawn(async move { axum::serve(listener, service).await });
        Ok(Self { address, asked, _release: release })
    }

    /// Waits until so many Pods wait for the module.
    async fn until_asked(&self, number: usize) -> Result<()> {
        let mut asked = self.asked.clone();
        let all = asked.wait_for(|asked| asked.len() == number);
        let outcome = timeout(PATIENCE, all).await.map(drop);
        outcome.with_context(|| format!("of {number} Pods only these ask: {:?}", self.asked.borrow()))
    }
}

/// Makes these Pods lose the filter, although their plugins are right. Each must have one plugin alone, which is one
/// of these, of a namespace and a name.
pub(crate) async fn lose(world: &World, plugins: &[(&str, &str)], pods: &[Pod]) -> Result<()> {
    let mut right = Vec::new();
    for (namespace, plugin) in plugins {
        right.push(get(world, namespace, &format!("wasmplugin/{plugin}")).await?);
    }
    let held = Held::start(world).await?;
    let older = module_at(&held.address.to_string(), &"0".repeat(64));
    for (namespace, plugin) in plugins {
        patch(world, namespace, plugin, &older).await?;
    }
    held.until_asked(pods.len()).await?;
    for ((namespace, plugin), right) in plugins.iter().zip(right) {
        let spec = |field: &str| right.pointer(&format!("/spec/{field}")).cloned();
        let config = json!({"poll_wait_seconds": NEWER});
        let newer = json!({"url": spec("url"), "sha256": spec("sha256"), "pluginConfig": config});
        patch(world, namespace, plugin, &newer).await?;
    }
    for pod in pods {
        let deadline = Deadline::of_costly("the newer plugin", PATIENCE);
        while let Err(error) = runs_newer(world, pod).await {
            deadline.pause().await.context(error)?;
        }
    }
    drop(held);
    Ok(())
}

/// The Envoy has the configuration of the newer plugin.
async fn runs_newer(world: &World, pod: &Pod) -> Result<()> {
    let filters = proxy::filters(world, pod).await?;
    let plain: String = filters.chars().filter(|letter| !letter.is_whitespace() && *letter != '\\').collect();
    let newer = format!("\"poll_wait_seconds\":{NEWER}");
    ensure!(plain.contains(&newer), "{} has an older plugin: {filters}", name(pod));
    Ok(())
}
