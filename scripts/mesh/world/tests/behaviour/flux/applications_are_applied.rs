//! hfi renders the Istio configuration of applications, and Flux applies it with the rights of the tenant. Nothing goes
//! that nobody wanted to go, whatever happens to hfi.

use std::fs;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use harness::{Reconciler, Source, paths};
use kubelet::Images;
use serde_json::{Value, json};
use world::FluxWorld;

use super::support::{get, until};

const NAMESPACE: &str = "shop";
/// Of hfi, on the node.
const PORT: u16 = 18_080;
const LINK: &str = "kustomization.kustomize.toolkit.fluxcd.io/shop";

/// A cluster with Istio, Flux and the rights of hfi and of a tenant.
pub(super) async fn start() -> Result<FluxWorld> {
    let world = FluxWorld::beside_istio(Images::new(), Vec::new()).await?;
    for namespace in [NAMESPACE, "boifi"] {
        world.kubectl(&["create", "namespace", namespace]).await?;
    }
    let file = |file: &str| paths::workspace().join(file);
    for manifest in ["k8s/base/crd.yaml", "k8s/base/rbac.yaml"] {
        world.kubectl(&["apply", "--filename", &file(manifest).display().to_string()]).await?;
    }
    for manifest in [
        "k8s/components/istio-artifacts/namespace.yaml",
        "k8s/components/istio-artifacts/rbac.yaml",
        "flux/components/applications/tenant/rbac.yaml",
        "flux/components/applications/tenant/link.yaml",
    ] {
        // What Flux would replace in the link of a tenant.
        let text = fs::read_to_string(file(manifest))?.replace("${NAMESPACE}", NAMESPACE);
        let path = world.world().directory().join("manifest.yaml");
        fs::write(&path, text)?;
        world.kubectl(&["apply", "--filename", &path.display().to_string()]).await?;
    }
    Ok(world)
}

pub(super) async fn step(world: &mut FluxWorld) -> Result<()> {
    write(world, "reviews", "{host: reviews}")?;
    write(world, "ratings", "{host: ratings}")?;
    world.policies().push("Add two applications").await?;
    let mut hfi = serve(world).await?;
    until(world, "both to be applied", async |world| applied(world, &["ratings", "reviews"]).await).await?;

    // One becomes invalid: it stays, and the other goes on.
    write(world, "reviews", "{host: reviews, wrong: 1}")?;
    write(world, "ratings", "{host: scores}")?;
    world.policies().push("Break one of two").await?;
    until(world, "one to go on", async |world| applied(world, &["scores", "reviews"]).await).await?;
    until(world, "the freeze", async |world| is_frozen(world, "reviews.yaml:5:").await).await?;

    // All of them vanish, hfi is killed, and a commit follows that has nothing to do with it.
    world.policies().remove("reviews.yaml")?;
    world.policies().remove("ratings.yaml")?;
    world.policies().write("other.yaml", "apiVersion: v1\nkind: ConfigMap\n")?;
    world.policies().push("Lose both").await?;
    until(world, "the guard", async |world| is_frozen(world, "2 of 2 objects").await).await?;
    hfi.kill().await?;
    world.policies().write("other.yaml", "apiVersion: v1\nkind: Secret\n")?;
    world.policies().push("Change something else").await?;
    // Flux looks again although there is nobody to ask.
    super::support::reconcile(world, &[LINK], "hfi-istio").await?;
    world.kubectl(&["--namespace=boifi", "delete", "lease", "hfi-control-plane"]).await?;
    hfi.restart().await?;
    until(world, "the next leader", async |world| {
        let lease = get(world, "lease/hfi-control-plane", "boifi").await?;
        ensure!(lease.pointer("/spec/holderIdentity").is_some(), "{lease}");
        is_frozen(world, "2 of 2 objects").await
    })
    .await?;
    applied(world, &["scores", "reviews"]).await?;

    // Somebody agrees: Flux removes the last ones.
    world.policies().write("other.yaml", "apiVersion: v1\nkind: ConfigMap\n")?;
    world.policies().push("Take shop away\n\nHfi-Removals: 2").await?;
    until(world, "all to go", async |world| applied(world, &[]).await).await?;
    hfi.terminate().await?;
    Ok(())
}

/// Writes the application of this name.
fn write(world: &FluxWorld, name: &str, rule: &str) -> Result<()> {
    let metadata = format!("{{name: {name}, namespace: {NAMESPACE}}}");
    let document = format!(
        "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {metadata}\nspec:\n  destinationRule: {rule}\n"
    );
    world.policies().write(&format!("{name}.yaml"), &document)
}

/// hfi on the node, as the ServiceAccount of the control plane.
async fn serve(world: &FluxWorld) -> Result<Reconciler> {
    let kubeconfig = world.kubectl(&["config", "view", "--raw", "--output=json"]).await?;
    let mut kubeconfig: Value = serde_json::from_str(&kubeconfig)?;
    let token = world.kubectl(&["--namespace=boifi", "create", "token", "hfi-control-plane"]).await?;
    for (place, value) in
        [("/users/0/user", json!({"token": token.trim()})), ("/contexts/0/context/namespace", json!("boifi"))]
    {
        let (parent, name) = place.rsplit_once('/').context("no place")?;
        kubeconfig.pointer_mut(parent).context("a kubeconfig without users or contexts")?[name] = value;
    }
    let file = world.world().directory().join("hfi.kubeconfig");
    fs::write(&file, kubeconfig.to_string())?;
    let command =
        ["env".into(), format!("KUBECONFIG={}", file.display()).into(), paths::hfi()?.into(), "serve".into()];
    let address = SocketAddr::from((world.world().address(), PORT));
    let options =
        ["--kubernetes", "--istio-artifacts", "--istio-artifacts-url", &format!("http://{address}")];
    let command = command.into_iter().chain(options.map(Into::into)).collect();
    let repository = world.policies().bare().into_os_string();
    Reconciler::start_as(command, Source::Git { repository, interval: "1s" }, address).await
}

/// Fails unless the cluster has DestinationRules for these hosts, and no others.
async fn applied(world: &FluxWorld, hosts: &[&str]) -> Result<()> {
    let found =
        world.kubectl(&["--namespace", NAMESPACE, "get", "destinationrules", "--output=json"]).await?;
    let found: Value = serde_json::from_str(&found)?;
    let items = found.pointer("/items").and_then(Value::as_array).context("no list")?;
    let host = |item: &Value| item.pointer("/spec/host").and_then(Value::as_str).map(str::to_owned);
    let found: Vec<_> = items.iter().filter_map(host).collect();
    ensure!(found == hosts, "{found:?}, {}", get(world, LINK, "hfi-istio").await?);
    Ok(())
}

/// Fails unless the artifact says that something is frozen, and why.
async fn is_frozen(world: &FluxWorld, why: &str) -> Result<()> {
    let artifact = get(world, "externalartifact/hfi-istio-shop", "hfi-istio").await?;
    let condition = artifact.pointer("/status/conditions/0").context("no condition")?;
    let message = condition.pointer("/message").and_then(Value::as_str).unwrap_or_default();
    ensure!(message.starts_with("frozen: ") && message.contains(why), "{condition}");
    Ok(())
}
