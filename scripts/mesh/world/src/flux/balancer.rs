//! A stand-in for the load balancers of a cloud: gives an address to each Service that asks for one.

use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::core::v1::Service;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::task::JoinHandle;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// An address for documentation, which leads nowhere.
const ADDRESS: &str = "203.0.113.1";

/// The running stand-in. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Balancer(JoinHandle<()>);

impl Balancer {
    pub(crate) fn start(client: Client) -> Self {
        Self(tokio::spawn(async move {
            loop {
                // What fails now is tried again.
                let _ = look(&client).await;
                tokio::time::sleep(PAUSE).await;
            }
        }))
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn look(client: &Client) -> Result<()> {
    for service in Api::<Service>::all(client.clone()).list(&ListParams::default()).await? {
        let asks = service.spec.and_then(|spec| spec.type_).as_deref() == Some("LoadBalancer");
        let balancer = service.status.and_then(|status| status.load_balancer);
        if !asks || balancer.is_some_and(|balancer| balancer.ingress.is_some()) {
            continue;
        }
        let (Some(name), Some(namespace)) = (service.metadata.name, service.metadata.namespace) else {
            continue;
        };
        let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": ADDRESS, "ipMode": "VIP"}]}}});
        let services = Api::<Service>::namespaced(client.clone(), &namespace);
        services.patch_status(&name, &PatchParams::default(), &Patch::Merge(status)).await?;
    }
    Ok(())
}
