//! Proxies that should run the filter and do not, and workloads without one.

use anyhow::{Context, Result};
use harness::{HFI_ADDRESS, Repository, module_at};
use serde_json::json;
use world::World;

use super::{finds, follow};
use crate::person::types;
use crate::support::plugins::patch;
use crate::support::pods::pods;
use crate::support::race::lose;
use crate::support::{merge, run_workload, workload};

/// A policy that hits no request of the tests.
pub(crate) fn policy(name: &str, service: &str, namespace: &str, direction: &str) -> String {
    format!(
        "metadata: {{name: {name}}}\n\
         spec:\n  selector: {{service: {service}, namespace: {namespace}}}\n  direction: {direction}\n  rules:\n    \
         - match: {{path: {{prefix: /never}}}}\n      fault: {{percentage: 100, abort: {{httpStatus: 503}}}}\n"
    )
}

/// A namespace without sidecars, then without a plugin. What the doctor says next is done each time.
pub(crate) async fn are_missing(world: &World, policies: &Repository) -> Result<()> {
    world.kubectl(&["create", "namespace", "bare"]).await?;
    run_workload(world, "bare", "backend").await?;
    policies.write("bare.yaml", &policy("bare", "backend", "bare", "inbound"))?;
    policies.push("Break the backend").await?;
    let words = ["Pod bare/backend", "is selected by policy bare and has no proxy", "label namespace bare"];
    for next in finds(world, "a workload without a sidecar", &[words]).await? {
        follow(world, &next).await?;
    }
    let next = "delete pod backend";
    let words = ["Pod bare/backend", "is selected by policy bare and has no proxy", next];
    for next in finds(world, "a Pod older than its namespace's label", &[words]).await? {
        follow(world, &next).await?;
    }
    let next = "apply one in namespace bare";
    let words = ["Pod bare/backend", "is selected by policy bare, and no WasmPlugin is for it", next];
    finds(world, "a proxy without a plugin", &[words]).await?;
    types(world, "kubectl delete namespace bare --wait=false").await?;
    policies.remove("bare.yaml")?;
    policies.push("Mend the backend").await?;
    Ok(())
}

/// A workload that wants no sidecar.
pub(crate) async fn are_refused(world: &World, policies: &Repository) -> Result<()> {
    let mut hermit = workload("demo", "hermit");
    let label = json!({"metadata": {"labels": {"sidecar.istio.io/inject": "false"}}});
    for object in &mut hermit {
        if let Some(template) = object.pointer_mut("/spec/template") {
            merge(template, label.clone());
        }
    }
    world.apply(&hermit).await?;
    policies.write("hermit.yaml", &policy("hermit", "hermit", "demo", "inbound"))?;
    policies.push("Break the hermit").await?;
    let next = "it has `sidecar.istio.io/inject: \"false\"`";
    let words = ["Pod demo/hermit", "is selected by policy hermit and has no proxy", next];
    finds(world, "a workload that wants no sidecar", &[words]).await?;
    types(world, "kubectl -n demo delete deployment,service,serviceaccount hermit").await?;
    policies.remove("hermit.yaml")?;
    policies.push("Mend the hermit").await?;
    Ok(())
}

/// A policy for what a proxy sends, where plugins run on what it receives.
pub(crate) async fn run_one_side(world: &World, policies: &Repository) -> Result<()> {
    policies.write("out.yaml", &policy("out", "frontend", "demo", "outbound"))?;
    policies.push("Break what the frontend sends").await?;
    types(world, "kubectl -n demo delete wasmplugin hfi-outbound").await?;
    let words =
        ["Pod demo/frontend", "policy out, and no WasmPlugin runs on what it sends", "{mode: CLIENT}"];
    finds(world, "no plugin for what is sent", &[words]).await?;
    types(world, "kubectl apply -n demo -k k8s/plugin/sidecar").await?;
    policies.remove("out.yaml")?;
    policies.push("Mend what the frontend sends").await?;
    Ok(())
}

/// A `Sidecar` hides the control plane from a proxy that is merely behind.
pub(crate) async fn are_hidden_from(world: &World, policies: &Repository) -> Result<()> {
    let sidecar = |hosts: &[&str]| {
        json!({
            "apiVersion": "networking.istio.io/v1",
            "kind": "Sidecar",
            "metadata": {"namespace": "demo", "name": "default"},
            "spec": {"egress": [{"hosts": hosts}]},
        })
    };
    world.apply(&[sidecar(&["./*", "istio-system/*"])]).await?;
    policies.write("hidden.yaml", &policy("hidden", "frontend", "demo", "inbound"))?;
    policies.push("Break the frontend").await?;
    let next = "Sidecar demo/default hides the control plane from it: add `boifi/*` to its egress hosts";
    finds(world, "a Sidecar that hides", &[["Pod demo/frontend", "its filter", next]]).await?;
    world.apply(&[sidecar(&["./*", "istio-system/*", "boifi/*"])]).await?;
    policies.remove("hidden.yaml")?;
    policies.push("Mend the frontend").await?;
    finds(world, "a Sidecar that shows", &[]).await?;
    types(world, "kubectl -n demo delete sidecar default").await?;
    Ok(())
}

/// A plugin with a module that nobody has: the proxies lose the filter that they ran.
pub(crate) async fn ask_for_another_module(world: &World) -> Result<()> {
    name_another_module(world).await?;
    finds(
        world,
        "a module that nobody has",
        &[
            NOBODY_HAS_IT,
            ["Pod demo/frontend", LOST, "annotate wasmplugin hfi-inbound"],
            ["Pod demo/backend", LOST, "annotate wasmplugin hfi-inbound"],
        ],
    )
    .await?;
    types(world, "kubectl apply -n demo -k k8s/plugin/sidecar").await?;
    Ok(())
}

/// The agents' failure to fetch a module ends after the success of the newer plugin, and undoes it. They do not ask
/// again, until somebody does what the doctor says.
pub(crate) async fn lose_a_race(world: &World) -> Result<()> {
    let proxies = pods(world, "demo", None).await?;
    lose(world, &[("demo", "hfi-inbound")], &proxies).await?;
    let next = "annotate wasmplugin hfi-inbound";
    let lost = [["Pod demo/frontend", LOST, next], ["Pod demo/backend", LOST, next]];
    let next = finds(world, "a plugin that is right again", &lost).await?;
    follow(world, next.first().context("no next step")?).await
}

const NOBODY_HAS_IT: super::Words<'_> =
    ["WasmPlugin demo/hfi-inbound", "does not hand out the module 000000000000", "the digest of the module"];
const LOST: &str = "does not run the filter of WasmPlugin demo/hfi-inbound since";

async fn name_another_module(world: &World) -> Result<()> {
    patch(world, "demo", "hfi-inbound", &module_at(HFI_ADDRESS, &"0".repeat(64))).await
}
