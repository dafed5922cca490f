//! A Pod from its binding to its deletion.

mod containers;
mod follow;
mod publish;
pub(crate) mod shared;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::core::v1::Pod;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::cluster::is_gone;
use crate::container::setting::Setting;
use crate::container::state::{CREATING, INITIALIZING, States};
use crate::network::PodNetwork;
use crate::spec::lifetime::{Role, containers as containers_of, grace_period};
use crate::spec::unsupported::unsupported;
use containers::Containers;
use follow::Follower;
use publish::Publisher;
use shared::Shared;

const RETRY: Duration = Duration::from_secs(1);

/// Does all that a Pod needs. Ends when the Pod is deleted; when its channel closes, it is gone from the API server
/// already.
pub(crate) async fn run(shared: Arc<Shared>, mut pod: watch::Receiver<Arc<Pod>>) {
    let first = pod.borrow().clone();
    let (namespace, name) = (first.metadata.namespace.as_deref(), first.metadata.name.as_deref());
    let parts = containers_of(&first);
    let begins_with_init = parts.first().is_some_and(|(role, _)| *role != Role::Main);
    let reason = if begins_with_init { INITIALIZING } else { CREATING };
    let states = States::new(parts.iter().map(|(_, container)| container.name.as_str()), reason);
    let mut publisher = Publisher::new(shared.cluster.clone(), &states, pod.clone());
    if let Some(refusal) = unsupported(&first) {
        warn!(namespace, name, %refusal, "a Pod that cannot run here");
        for (_, container) in &parts {
            states.waits(&container.name, refusal.reason, refusal.message.clone());
        }
    } else if let Some(setting) = set_up(&shared, &states, &mut pod, &mut publisher).await {
        info!(namespace, name, address = %setting.facts.pod_ip, "starts");
        publisher.facts = Some(setting.facts.clone());
        live(Arc::new(setting), &mut publisher, pod.clone()).await;
    }
    tokio::select! {
        _ = deleted(&mut pod) => {}
        never = publisher.follow() => match never {},
    }
    publisher.once().await;
    let last = pod.borrow().clone();
    remove(&shared, &last).await;
    info!(namespace, name, "is gone");
}

/// Waits until a Pod is to be ended, and returns by when.
async fn deleted(pod: &mut watch::Receiver<Arc<Pod>>) -> Instant {
    match pod.wait_for(|pod| pod.metadata.deletion_timestamp.is_some()).await {
        Ok(pod) => Instant::now() + grace_period(&pod),
        Err(_) => Instant::now(),
    }
}

/// Gives a Pod its network. None if it is deleted before.
async fn set_up(
    shared: &Shared,
    states: &States,
    pod: &mut watch::Receiver<Arc<Pod>>,
    publisher: &mut Publisher,
) -> Option<Setting> {
    loop {
        let first = pod.borrow().clone();
        match attach(shared, &first).await {
            Ok(network) => return Some(shared.setting(&first, pod.clone(), states.clone(), network)),
            Err(error) => {
                warn!(pod = first.metadata.name, error = format!("{error:#}"), "no network");
                for (_, container) in containers_of(&first) {
                    states.says(&container.name, format!("{error:#}"));
                }
                publisher.once().await;
            }
        }
        tokio::select! {
            () = sleep(RETRY) => {}
            _ = deleted(pod) => return None,
        }
    }
}

async fn attach(shared: &Shared, pod: &Pod) -> Result<PodNetwork> {
    let context = pod.spec.as_ref().and_then(|spec| spec.security_context.clone()).unwrap_or_default();
    let sysctls: Vec<_> =
        context.sysctls.into_iter().flatten().map(|sysctl| (sysctl.name, sysctl.value)).collect();
    PodNetwork::attach(shared.network.clone(), &sysctls).await
}

/// From the first volume to the end of the last container.
async fn live(setting: Arc<Setting>, publisher: &mut Publisher, mut pod: watch::Receiver<Arc<Pod>>) {
    let mut follower = Follower::new(setting.clone());
    let mut containers = Containers::new(setting.clone());
    let life = async {
        tokio::select! {
            _ = deleted(&mut pod) => return,
            () = follower.mount() => {}
        }
        let deadline = tokio::select! {
            deadline = deleted(&mut pod) => deadline,
            () = containers.run() => Instant::now() + grace_period(&setting.pod()),
            never = follower.follow() => match never {},
        };
        containers.stop(deadline).await;
    };
    tokio::select! {
        () = life => {}
        never = publisher.follow() => match never {},
    }
    drop((follower, containers));
    // The last owner: all containers have ended.
    let Some(setting) = Arc::into_inner(setting) else { return };
    if let Err(error) = setting.network.detach().await {
        warn!(error = format!("{error:#}"), "a network namespace is left");
    }
}

/// Takes away what is left of a Pod, here and in the API server.
async fn remove(shared: &Shared, pod: &Pod) {
    let directory = shared.directory(pod);
    if let Err(error) = tokio::fs::remove_dir_all(&directory).await
        && directory.exists()
    {
        warn!(directory = %directory.display(), %error, "cannot be removed");
    }
    while let Err(error) = shared.cluster.remove(pod).await {
        if is_gone(&error) {
            return;
        }
        warn!(pod = pod.metadata.name, %error, "cannot be taken out of the API server");
        sleep(RETRY).await;
    }
}
