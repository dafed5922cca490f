//! The links that Flux follows: Kustomizations of a tenant, and what they have applied.

use std::sync::atomic::{AtomicU32, Ordering};

use harness::KubeApi;
use serde_json::json;

use crate::support::{
    artifacts::PATIENCE,
    cluster::{self, until},
    flux::{MERGE, define, manifests},
};

const TENANT: &str = "flux/components/applications/tenant";
const LINKS: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/hfi-istio/kustomizations";
const FOREIGN_LINKS: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/demo/kustomizations";
const RULES: &str = "/apis/networking.istio.io/v1/namespaces/shop/destinationrules";

/// The namespace `shop` of a tenant, with the rights and the link that `flux/` gives it; but the link looks again after a
/// second, and not after minutes.
pub(crate) async fn bring_tenant(api: &KubeApi) {
    define(api, &["flux-kustomize"]).await;
    cluster::define(api, "networking.istio.io", "v1", "DestinationRule").await;
    api.create_namespace("shop").await.unwrap();
    let mut link = manifests(&format!("{TENANT}/link.yaml"));
    for field in ["interval", "retryInterval"] {
        link[0]["spec"][field] = json!("1s");
    }
    for manifests in [manifests(&format!("{TENANT}/rbac.yaml")), link] {
        assert!(api.apply(&manifests).await.unwrap().is_empty());
    }
}

/// A link of the same tenant to another artifact. It looks when that changes.
pub(crate) async fn add_link(api: &KubeApi, name: &str) {
    let mut link = manifests(&format!("{TENANT}/link.yaml"));
    link[0]["metadata"]["name"] = json!(name);
    link[0]["spec"]["sourceRef"]["name"] = json!(name);
    assert!(api.apply(&link).await.unwrap().is_empty());
}

/// A link that another tenant writes in its own namespace, to an artifact in `hfi-istio`. It asks for the rights of the
/// controller.
pub(crate) async fn add_foreign_link(api: &KubeApi, name: &str) {
    let source = json!({"kind": "ExternalArtifact", "name": name, "namespace": "hfi-istio"});
    let spec = json!({"sourceRef": source, "path": "./", "interval": "1s", "prune": true});
    let version = "kustomize.toolkit.fluxcd.io/v1";
    let link =
        json!({"apiVersion": version, "kind": "Kustomization", "metadata": {"name": name}, "spec": spec});
    api.ask("POST", FOREIGN_LINKS, &[], &link.to_string()).await.unwrap();
}

/// The condition `Ready` of a link, once it is such.
pub(crate) async fn link(api: &KubeApi, name: &str, is_such: impl Fn(&str) -> bool) -> String {
    link_in(api, LINKS, name, is_such).await
}

/// The same of a link that another tenant wrote.
pub(crate) async fn foreign_link(api: &KubeApi, name: &str, is_such: impl Fn(&str) -> bool) -> String {
    link_in(api, FOREIGN_LINKS, name, is_such).await
}

async fn link_in(api: &KubeApi, links: &str, name: &str, is_such: impl Fn(&str) -> bool) -> String {
    until(&format!("the link {name}"), PATIENCE, async || {
        let link = api.get(&format!("{links}/{name}")).await.ok()?;
        let conditions = link["status"]["conditions"].as_array()?;
        let ready = conditions.iter().find(|condition| condition["type"] == "Ready")?;
        let words = ["status", "reason", "message"].map(|field| ready[field].as_str().unwrap_or_default());
        Some(words.join(" ")).filter(|ready| is_such(ready))
    })
    .await
}

/// Lets Flux look at a link, and waits until it has done so.
pub(crate) async fn look(api: &KubeApi, name: &str) {
    static LOOKS: AtomicU32 = AtomicU32::new(1);
    let look = LOOKS.fetch_add(1, Ordering::Relaxed).to_string();
    let annotations = json!({"reconcile.fluxcd.io/requestedAt": look});
    let path = format!("{LINKS}/{name}");
    let patch = json!({"metadata": {"annotations": annotations}}).to_string();
    api.ask("PATCH", &path, &MERGE, &patch).await.unwrap();
    until("Flux to look", PATIENCE, async || {
        let link = api.get(&path).await.ok()?;
        (link["status"]["lastHandledReconcileAt"] == look).then_some(())
    })
    .await;
}

/// The hosts of all DestinationRules that Flux has applied, sorted.
pub(crate) async fn hosts(api: &KubeApi) -> Vec<String> {
    let rules = api.get(RULES).await.unwrap();
    let rules = rules["items"].as_array().unwrap();
    let mut hosts: Vec<_> =
        rules.iter().map(|rule| rule["spec"]["host"].as_str().unwrap().to_owned()).collect();
    hosts.sort();
    hosts
}

/// Waits until Flux has applied DestinationRules for these hosts, and no others.
pub(crate) async fn until_applied(api: &KubeApi, wanted: &[&str], log: impl Fn() -> String) {
    until(&format!("{wanted:?} are applied: {}", log()), PATIENCE, async || {
        (hosts(api).await == wanted).then_some(())
    })
    .await;
}
