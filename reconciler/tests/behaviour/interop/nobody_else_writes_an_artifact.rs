//! Where artifacts are in the namespaces of tenants, whoever may edit such a namespace forges none: the admission policy of
//! `k8s/components/istio-artifacts-in-tenants` lets hfi alone write those of hfi.

use serde_json::{Value, json};

use crate::support::{
    artifacts::{PATIENCE, World},
    cluster::until,
    flux::{MERGE, manifests},
};

const ARTIFACTS: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/shop/externalartifacts";
const HFI: &str = "system:serviceaccount:boifi:hfi-control-plane";

/// Sends this as a user. Returns the answer, or why it was refused.
async fn ask(world: &World, user: &str, method: &str, path: &str, body: Value) -> Result<Value, String> {
    let kind = ("content-type", if method == "PATCH" { MERGE[0].1 } else { "application/json" });
    let answer = world.api.ask(method, path, &[kind, ("impersonate-user", user)], &body.to_string()).await;
    answer.map_err(|error| format!("{error:#}"))
}

fn artifact(name: &str) -> Value {
    let source = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name});
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "ExternalArtifact",
        "metadata": {"name": name, "namespace": "shop"}, "spec": {"sourceRef": source},
    })
}

/// A status that leads to this URL.
fn leads_to(url: &str) -> Value {
    let digest = format!("sha256:{}", "0".repeat(64));
    json!({"status": {"artifact": {
        "path": "x", "url": url, "revision": digest, "digest": digest, "lastUpdateTime": "2026-01-01T00:00:00Z",
    }}})
}

#[tokio::test]
async fn an_editor_of_a_namespace_forges_no_artifact() {
    let world = World::start().await;
    world.api.create_namespace("shop").await.unwrap();
    let component = |name: &str, file: &str| manifests(&format!("k8s/components/{name}/{file}.yaml"));
    let of_flux = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "flux-edit", "namespace": "shop"},
        "rules": [{"apiGroups": ["source.toolkit.fluxcd.io"], "resources": ["*"], "verbs": ["*"]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "flux-edit", "namespace": "shop"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "flux-edit"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "editor"}],
    });
    for objects in [
        component("istio-artifacts", "rbac"),
        component("istio-artifacts-in-tenants", "rbac"),
        component("istio-artifacts-in-tenants", "admission"),
        vec![of_flux, binding],
    ] {
        assert!(world.api.apply(&objects).await.unwrap().is_empty());
    }
    // The policy counts a moment after it was written.
    let forged = async || {
        let path = format!("{ARTIFACTS}?dryRun=All");
        let forged = ask(&world, "editor", "POST", &path, artifact("hfi-istio-shop")).await;
        forged.err().filter(|why| why.contains("only hfi writes"))
    };
    until("the policy to count", PATIENCE, forged).await;
    ask(&world, "editor", "POST", ARTIFACTS, artifact("of-the-editor")).await.unwrap();

    // hfi has what it needs, with its own rights.
    world.write("reviews", "{host: reviews}");
    world.push("Add one").await;
    let hfi = world.serve_as("hfi", &[("HFI_ISTIO_ARTIFACTS_IN_TENANTS", "true")]).await;
    let path = format!("{ARTIFACTS}/hfi-istio-shop");
    let status = until(&format!("an artifact: {}", hfi.log()), PATIENCE, async || {
        Some(world.api.get(&path).await.ok()?["status"].clone())
            .filter(|status| status["artifact"].is_object())
    })
    .await;

    let elsewhere = leads_to("http://elsewhere.example/v1/istio/shop/x.tar.gz");
    let of_bank = leads_to("http://hfi-control-plane.boifi.svc.cluster.local.:8080/v1/istio/bank/x.tar.gz");
    let label = json!({"metadata": {"labels": {"hfi.dev/namespace": "bank"}}});
    let spec = json!({"spec": {"sourceRef": {"name": "mine"}}});
    let status_of = format!("{path}/status");
    for (user, path, body, why) in [
        ("editor", &status_of, &elsewhere, "only hfi writes"),
        ("editor", &status_of, &status, "only hfi writes"),
        ("editor", &path, &label, "only hfi writes"),
        ("editor", &path, &spec, "only hfi writes"),
        (HFI, &status_of, &elsewhere, "names its own namespace"),
        (HFI, &status_of, &of_bank, "names its own namespace"),
    ] {
        let refused = ask(&world, user, "PATCH", path, body.clone()).await.unwrap_err();
        assert!(refused.contains(why), "{user} {path}: {refused}");
    }
    let config_map = json!({"metadata": {"name": "hfi-istio-shop"}, "data": {"artifact.tar.gz": "x"}});
    let config_maps = "/api/v1/namespaces/hfi-istio/configmaps";
    let refused = ask(&world, "editor", "POST", config_maps, config_map).await.unwrap_err();
    assert!(refused.contains("cannot create resource"), "{refused}");
    let annotation = json!({"metadata": {"annotations": {"hfi.dev/allow-commit": "1a2b"}}});
    let annotated = ask(&world, "editor", "PATCH", &path, annotation).await.unwrap();
    assert_eq!(annotated["status"]["artifact"], status["artifact"]);
}
