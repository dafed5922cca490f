//! A mesh with a gateway, a waypoint and a sidecar.
//!
//! ```text
//!  outside ──▶ edge/gateway ──▶ amb/waypoint ──▶ amb/orders
//!  outside ──▶ sidecar of demo/frontend
//! ```
//!
//! The waypoint is to receive for `till/pay` too.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::{GitHttp, Repository, Request};
use serde_json::{Value, json};
use world::World;

use crate::doctor::show_istiod;
use crate::support::faults::Faults;
use crate::support::plugins::{POLL_WAIT, patch};
use crate::support::{
    PATIENCE, address, apply_workload, control_plane, gateway, install, merge, roll_out, roll_out_gateway,
    serve, start_with_gateways, waypoint, workload,
};

/// The workloads that policies are for, and their namespaces.
const WORKLOADS: [(&str, &str); 4] =
    [("gateway-istio", "edge"), ("orders", "amb"), ("pay", "till"), ("frontend", "demo")];

/// The world and its policies.
pub(super) struct Edge {
    pub(super) world: World,
    pub(super) policies: Repository,
    _git: GitHttp,
}

/// A place at which a fault happens, which is asked all the time.
pub(super) struct Place {
    pub(super) namespace: &'static str,
    /// The name of its Deployment.
    pub(super) workload: &'static str,
    pub(super) plugin: &'static str,
    pub(super) faults: Faults,
}

impl Edge {
    /// Builds it without any plugin, and without what leads to the waypoint.
    pub(super) async fn start() -> Result<Self> {
        let world = start_with_gateways().await?;
        let policies = Repository::new().await?;
        let _git = serve(&world, &policies).await?;
        show_istiod(&world).await?;
        let edge = Self { world, policies, _git };
        edge.break_all().await?;
        edge.world.apply(&namespaces()).await?;
        control_plane("default")?.with_component("k8s/components/healing")?.apply(&edge.world, None).await?;
        edge.world.apply(&inhabitants()).await?;
        roll_out(&edge.world, "boifi", "hfi-control-plane").await?;
        for (namespace, name) in
            [("edge", "gateway-istio"), ("amb", "waypoint"), ("amb", "orders"), ("till", "pay")]
        {
            roll_out_gateway(&edge.world, namespace, name).await?;
        }
        Ok(edge)
    }

    /// Pushes policies for all of them.
    pub(super) async fn break_all(&self) -> Result<()> {
        for (name, namespace) in WORKLOADS {
            self.policies.write(&format!("{name}.yaml"), &policy(name, namespace))?;
        }
        self.policies.push("Break all of them").await.map(drop)
    }

    /// Removes these policies.
    pub(super) async fn mend_all(&self) -> Result<()> {
        for (name, _) in WORKLOADS {
            self.policies.remove(&format!("{name}.yaml"))?;
        }
        self.policies.push("Mend all of them").await.map(drop)
    }

    /// Adds a workload with a sidecar, asks at each place from now on, and waits for the faults there.
    pub(super) async fn ask_everywhere(&self) -> Result<Vec<Place>> {
        install(&self.world, "demo", "k8s/plugin/sidecar").await?;
        // A proxy with one plugin is silent once it has lost that one's filter.
        self.world.kubectl(&["delete", "wasmplugin", "hfi-outbound", "--namespace=demo"]).await?;
        apply_workload(&self.world, "demo", "frontend").await?;
        roll_out(&self.world, "demo", "frontend").await?;
        let gateway = address(&self.world, "edge", "gateway-istio").await?;
        let frontend = address(&self.world, "demo", "frontend").await?;
        let mut places = Vec::new();
        for (namespace, workload, plugin, address, path) in [
            ("amb", "waypoint", "hfi-waypoint", gateway, "/orders"),
            ("demo", "frontend", "hfi-inbound", frontend, "/frontend"),
            // The last, since an old listener of it, with old plugins that poll, lives on for 45 s.
            ("edge", "gateway-istio", "hfi-gateway", gateway, "/gateway-istio"),
        ] {
            let short = json!({"pluginConfig": {"poll_wait_seconds": POLL_WAIT}});
            patch(&self.world, namespace, plugin, &short).await?;
            let faults = Faults::of(address, Request::get(path))?;
            places.push(Place { namespace, workload, plugin, faults });
        }
        until(&places, "the first fault", true, PATIENCE).await?;
        Ok(places)
    }
}

/// Waits until each place has the fault, or has it no more.
pub(super) async fn until(
    places: &[Place],
    what: &'static str,
    is_faulted: bool,
    patience: Duration,
) -> Result<()> {
    for Place { workload, faults, .. } in places {
        faults.until(what, is_faulted, patience).await.context(*workload)?;
    }
    Ok(())
}

/// Fails if a place had no fault for a moment since then.
pub(super) fn were_faulted_since(places: &[Place], moment: Instant) -> Result<()> {
    for Place { workload, faults, .. } in places {
        let changes = faults.changes_after(moment);
        ensure!(changes.is_empty(), "{workload} went without its fault: {changes:?}");
    }
    Ok(())
}

/// A policy for the requests whose path is its name.
fn policy(name: &str, namespace: &str) -> String {
    format!(
        "metadata: {{name: {name}}}\n\
         spec:\n  selector: {{service: {name}, namespace: {namespace}}}\n  rules:\n    \
         - match: {{path: {{exact: /{name}}}}}\n      fault: {{percentage: 100, abort: {{httpStatus: 503}}}}\n"
    )
}

fn namespaces() -> Vec<Value> {
    let namespace = |name: &str, labels: Value| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
    let ambient = json!({"istio.io/dataplane-mode": "ambient"});
    let injected = json!({"istio-injection": "enabled"});
    vec![
        namespace("demo", injected),
        namespace("edge", json!({})),
        namespace("amb", ambient.clone()),
        namespace("till", ambient),
    ]
}

/// The workloads, the gateway, its route, and the waypoint.
fn inhabitants() -> Vec<Value> {
    let mut objects = vec![gateway("edge"), waypoint("amb"), route()];
    for mut object in workload("amb", "orders") {
        if object.get("kind").is_some_and(|kind| kind == "Service") {
            // Gateways go to a waypoint only for Services that say so.
            merge(&mut object, json!({"metadata": {"labels": {"istio.io/ingress-use-waypoint": "true"}}}));
        }
        objects.push(object);
    }
    objects.extend(workload("till", "pay"));
    objects
}

/// From the gateway to `orders`, for every host.
fn route() -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "orders", "namespace": "amb"},
        "spec": {
            "parentRefs": [{"name": "gateway", "namespace": "edge"}],
            "rules": [{"backendRefs": [{"name": "orders", "port": 80}]}],
        },
    })
}
