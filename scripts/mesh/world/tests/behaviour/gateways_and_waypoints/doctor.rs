//! Each fault of a gateway and of a waypoint is made for real, found by `hfi doctor`, and mended; in between it finds
//! nothing.

use anyhow::Result;
use serde_json::json;
use world::World;

use super::edge::Edge;
use crate::doctor::control_plane::has_an_old_istio;
use crate::doctor::{finds, follow};
use crate::support::plugins::patch;
use crate::support::{install, merge, provider};

/// No proxy runs the filter, nothing leads to the waypoint, and then it has no cluster for the control plane.
pub(super) async fn knows_what_is_missing(edge: &Edge) -> Result<()> {
    let world = &edge.world;
    let plugin = ["WasmPlugin", "does not exist", "apply one"];
    let gateway = ["Pod edge/gateway-istio-", "and no WasmPlugin is for it", "apply one in namespace edge"];
    let label = "nothing leads to the waypoint: `kubectl label namespace amb istio.io/use-waypoint=waypoint`";
    let orders = ["Pod amb/orders-", "has no proxy", label];
    let pay = ["Pod till/pay-", "has no proxy", "`istioctl waypoint apply --namespace till"];
    let next = finds(world, "no filter anywhere", &[orders, plugin, gateway, pay]).await?;
    for step in next.iter().take(1) {
        follow(world, step).await?;
    }
    let shared = ["istio.io/use-waypoint=waypoint", "istio.io/use-waypoint-namespace=amb"];
    world.kubectl(&[&["label", "namespace", "till"], &shared[..]].concat()).await?;
    let idle = ["waypoint amb/waypoint", "runs no filter", "whose targetRefs name it"];
    finds(world, "a gateway and a waypoint without a filter", &[plugin, gateway, idle]).await?;

    install(world, "edge", "k8s/plugin/gateway").await?;
    install(world, "amb", "k8s/plugin/waypoint").await?;
    let next = "in an entry of `extensionProviders`";
    finds(world, "no cluster", &[["waypoint amb/waypoint", "has no cluster for the control plane", next]])
        .await?;
    give_a_cluster(world).await
}

/// The waypoint's plugin does not ask for a namespace that the waypoint serves, and two plugins run in one gateway.
pub(super) async fn knows_what_is_wrong(edge: &Edge) -> Result<()> {
    let world = &edge.world;
    let message = "does not ask for the policies of namespace till, which waypoint amb/waypoint serves too";
    let next = "set `namespaces: [amb, till]` in its pluginConfig";
    finds(world, "a foreign namespace", &[["WasmPlugin amb/hfi-waypoint", message, next]]).await?;
    let both = json!({"pluginConfig": {"namespaces": ["amb", "till"]}});
    patch(world, "amb", "hfi-waypoint", &both).await?;
    finds(world, "nothing wrong", &[]).await?;

    has_an_old_istio(world, "takes no `targetRefs` before 1.22").await?;

    // For Istio a gateway is a client: the outbound plugin of sidecars is for it too.
    install(world, "edge", "k8s/plugin/sidecar").await?;
    let both = ["WasmPlugin edge/hfi-", "both run in Pod edge/gateway-istio-", "do not overlap"];
    finds(world, "two plugins in one gateway", &[both]).await?;
    world.kubectl(&["delete", "wasmplugins", "hfi-inbound", "hfi-outbound", "--namespace=edge"]).await?;
    finds(world, "nothing wrong", &[]).await?;
    Ok(())
}

/// Has istiod tell waypoints of the control plane. istiod reads a file of the node here, and the doctor the ConfigMap
/// that it elsewhere comes from.
async fn give_a_cluster(world: &World) -> Result<()> {
    let providers = json!({"extensionProviders": [provider()]});
    world.configure_mesh(|mesh| merge(mesh, providers.clone()))?;
    let patch = json!({"data": {"mesh": providers.to_string()}}).to_string();
    let words =
        ["patch", "configmap", "istio", "--namespace=istio-system", "--type=merge", "--patch", &patch];
    world.kubectl(&words).await.map(drop)
}
