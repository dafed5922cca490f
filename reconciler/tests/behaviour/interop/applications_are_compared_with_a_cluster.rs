//! `hfi diff --live` compares with the objects of a real API server.

use std::path::Path;

use harness::KubeApi;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    self,
    cluster::{create, define},
    command::{Ended, hfi},
    flux::MERGE,
    process::text,
};

/// A PeerAuthentication and an HTTPRoute.
const REVIEWS: &str = "apiVersion: hfi.dev/v1
kind: AppConfiguration
metadata: {name: reviews, namespace: shop}
spec:
  peerAuthentication: {}
  virtualService: {render: httpRoute, port: 80, timeout: 5s}
";

/// A directory, and a cluster that has its resources, as Flux applies them.
async fn world() -> (TempDir, KubeApi) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("reviews.yaml"), REVIEWS).unwrap();
    let api = KubeApi::start().await.unwrap();
    api.create_namespace("shop").await.unwrap();
    define(&api, "security.istio.io", "v1", "PeerAuthentication").await;
    define_route(&api).await;
    for mut object in rendered(directory.path()) {
        object["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"] = json!("hfi-istio-shop");
        let annotations = json!({"kubectl.kubernetes.io/last-applied-configuration": "{}"});
        object["metadata"]["annotations"] = annotations;
        assert!(api.apply(&[object]).await.unwrap().is_empty());
    }
    (directory, api)
}

/// An HTTPRoute whose fields have defaults, as those of the Gateway API.
async fn define_route(api: &KubeApi) {
    let text = json!({"type": "string"});
    let backend = json!({"type": "object", "properties": {
        "name": text, "port": {"type": "integer"}, "weight": {"type": "integer", "default": 1},
    }});
    let rule = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
        "backendRefs": {"type": "array", "items": backend},
    }});
    let spec = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
        "rules": {"type": "array", "items": rule},
    }});
    let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}});
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": "httproutes.gateway.networking.k8s.io",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {
            "group": "gateway.networking.k8s.io",
            "names": {"kind": "HTTPRoute", "plural": "httproutes"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
        },
    });
    create(api, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd).await;
    // The description comes after the kind.
    let is_described = async || {
        let described = api.get("/openapi/v3/apis/gateway.networking.k8s.io/v1").await.ok()?;
        described.to_string().contains("HTTPRoute").then_some(())
    };
    support::cluster::until("the HTTPRoute is described", support::cluster::PATIENCE, is_described).await;
}

fn rendered(directory: &Path) -> Vec<Value> {
    let (code, text) = support::hfi(directory, &["render", ".", "-o", "json"]);
    assert_eq!(code, 0, "{text}");
    let list: Value = serde_json::from_str(&text).unwrap();
    list["items"].as_array().unwrap().clone()
}

async fn diff(directory: &TempDir, kubeconfig: &Path, more: &[&str]) -> Ended {
    let arguments = [&["diff", text(directory.path()), "--live"], more].concat();
    hfi(&arguments, &[("KUBECONFIG", text(kubeconfig))]).await
}

#[tokio::test]
async fn by_what_was_changed_there_and_what_is_no_longer_meant() {
    let (directory, api) = world().await;
    let admin = api.kubeconfig("admin", &api.url()).unwrap();
    let same = diff(&directory, &admin, &[]).await;
    assert_eq!((same.code, same.stdout.as_str()), (0, ""), "{same:?}");
    // What somebody changed by hand, and what hfi has never rendered.
    let path = "/apis/security.istio.io/v1/namespaces/shop/peerauthentications";
    let changed = json!({"spec": {"mtls": {"mode": "PERMISSIVE"}}}).to_string();
    api.ask("PATCH", &format!("{path}/reviews-peer-authentication"), &MERGE, &changed).await.unwrap();
    let others = json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
        "metadata": {"name": "of-others"}, "spec": {}});
    create(&api, path, others).await;
    let drifted = diff(&directory, &admin, &["-n", "shop"]).await;
    assert_eq!(drifted.code, 1, "{drifted:?}");
    assert!(drifted.stdout.contains("\n-    mode: PERMISSIVE\n+    mode: STRICT\n"), "{}", drifted.stdout);
    let begin = "--- cluster: shop/peer-authentication-reviews-peer-authentication.yaml\n+++ ";
    assert!(drifted.stdout.starts_with(begin), "{}", drifted.stdout);
    assert_eq!(drifted.stdout.matches("+++").count(), 1, "{}", drifted.stdout);
    // What no document means any more.
    let without = REVIEWS.replace("  peerAuthentication: {}\n", "");
    std::fs::write(directory.path().join("reviews.yaml"), without).unwrap();
    let removed = diff(&directory, &admin, &[]).await;
    assert!(removed.code == 1 && removed.stdout.contains("\n+++ /dev/null\n"), "{removed:?}");
    assert_eq!(removed.stdout.matches("+++").count(), 1, "{}", removed.stdout);
    // A namespace that has nothing of either side is the same, and may be misspelt.
    let nothing = diff(&directory, &admin, &["-n", "demo"]).await;
    assert!(nothing.code == 0 && nothing.stderr.contains("no AppConfiguration is for"), "{nothing:?}");
    // No document of the namespace is left.
    std::fs::remove_file(directory.path().join("reviews.yaml")).unwrap();
    let gone = diff(&directory, &admin, &["--all-namespaces"]).await;
    assert_eq!((gone.code, gone.stdout.matches("\n+++ /dev/null\n").count()), (1, 2), "{gone:?}");
}

#[tokio::test]
async fn what_would_be_taken_over_from_others_is_told() {
    let (directory, api) = world().await;
    let admin = api.kubeconfig("admin", &api.url()).unwrap();
    let path = "/apis/security.istio.io/v1/namespaces/shop/peerauthentications/reviews-peer-authentication";
    let of_helm = json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}}}).to_string();
    api.ask("PATCH", path, &MERGE, &of_helm).await.unwrap();
    let told = "PeerAuthentication shop/reviews-peer-authentication is not from hfi, and would be taken over";
    let taken = diff(&directory, &admin, &[]).await;
    assert_eq!(taken.code, 1, "{taken:?}");
    assert!(taken.stderr.contains(&format!("{told}; a server that may read its kind freezes")), "{taken:?}");
    let adopting = REVIEWS.replace("peerAuthentication: {}", "peerAuthentication: {adopt: true}");
    std::fs::write(directory.path().join("reviews.yaml"), adopting).unwrap();
    let adopted = diff(&directory, &admin, &[]).await;
    assert!(adopted.stderr.contains(told) && !adopted.stderr.contains("freezes"), "{adopted:?}");
    assert_eq!(adopted.stderr.matches("is not from hfi").count(), 1, "{adopted:?}");
}

#[tokio::test]
async fn what_is_rendered_for_namespaces_of_others_is_counted() {
    let (directory, api) = world().await;
    let admin = api.kubeconfig("admin", &api.url()).unwrap();
    let others = REVIEWS.replace("namespace: shop", "namespace: bank");
    std::fs::write(directory.path().join("reviews.yaml"), others).unwrap();
    api.create_namespace("bank").await.unwrap();
    assert!(api.apply(&rendered(directory.path())).await.unwrap().is_empty());
    let part = diff(&directory, &admin, &[]).await;
    assert_eq!((part.code, part.stdout.as_str()), (0, ""), "{part:?}");
    let told =
        "hfi has rendered 2 objects in 1 namespaces without AppConfigurations here; they were not compared";
    assert!(part.stderr.contains(told), "{}", part.stderr);
    let all = diff(&directory, &admin, &["-A"]).await;
    assert_eq!((all.code, all.stdout.matches("\n+++ /dev/null\n").count()), (1, 2), "{all:?}");
    assert!(!all.stderr.contains("not compared"), "{}", all.stderr);
    let both = diff(&directory, &admin, &["-A", "-n", "shop"]).await;
    assert_eq!(both.code, 2, "{both:?}");
}

#[tokio::test]
async fn whoever_may_read_one_namespace_compares_that_one() {
    let (directory, api) = world().await;
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "reader", "namespace": "shop"},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["list"]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "reader", "namespace": "shop"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "nobody"}],
    });
    assert!(api.apply(&[role, binding]).await.unwrap().is_empty());
    let reader = api.kubeconfig("nobody", &api.url()).unwrap();
    // The right takes effect a little later.
    let same = support::cluster::until("the namespace is compared", support::cluster::PATIENCE, async || {
        Some(diff(&directory, &reader, &[]).await).filter(|ended| ended.code == 0)
    })
    .await;
    assert_eq!(same.stdout, "", "{same:?}");
    let told = "of all namespaces; those without AppConfigurations here are not looked at";
    assert!(same.stderr.contains("the user may not list ") && same.stderr.contains(told), "{}", same.stderr);
    let all = diff(&directory, &reader, &["--all-namespaces"]).await;
    assert!(all.code == 3 && all.stderr.contains("nothing was compared"), "{all:?}");
}

#[tokio::test]
async fn without_rights_or_a_cluster_nothing_is_said() {
    let (directory, api) = world().await;
    let nobody = api.kubeconfig("nobody", &api.url()).unwrap();
    let refused = diff(&directory, &nobody, &[]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""), "{refused:?}");
    for part in ["cannot read DestinationRule", "namespace \"shop\"", "cannot list", "nothing was compared"] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    let absent = diff(&directory, Path::new("/nowhere"), &[]).await;
    assert!(absent.code == 3 && absent.stderr.contains("no cluster: "), "{absent:?}");
    let both = diff(&directory, &nobody, &["--branch", "main"]).await;
    assert_eq!(both.code, 2, "{both:?}");
}
