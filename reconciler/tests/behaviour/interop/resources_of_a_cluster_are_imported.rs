//! `hfi import --live` reads the resources of a namespace from a real API server.

use harness::KubeApi;
use serde_json::json;

use crate::support::{
    cluster::{create, define},
    command::hfi,
    process::text,
};

#[tokio::test]
async fn and_those_of_no_other_namespace() {
    let api = KubeApi::start().await.unwrap();
    define(&api, "security.istio.io", "v1", "PeerAuthentication").await;
    for namespace in ["shop", "bank"] {
        api.create_namespace(namespace).await.unwrap();
        let peers = json!({
            "apiVersion": "security.istio.io/v1",
            "kind": "PeerAuthentication",
            "metadata": {"name": format!("of-{namespace}")},
            "spec": {"mtls": {"mode": "STRICT"}},
        });
        let path = format!("/apis/security.istio.io/v1/namespaces/{namespace}/peerauthentications");
        create(&api, &path, peers).await;
    }
    let kubeconfig = api.kubeconfig("admin", &api.url()).unwrap();
    let cluster = [("KUBECONFIG", text(&kubeconfig))];
    let ended = hfi(&["import", "--live", "-n", "shop"], &cluster).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(
        ended.stdout,
        "apiVersion: hfi.dev/v1
kind: AppConfiguration
metadata:
  name: of-shop
  namespace: shop
spec:
  peerAuthentication:
    resourceName: of-shop
    adopt: true
    applyTo: namespace
    mtls: strict
"
    );
    let unknown = hfi(&["import", "--live"], &cluster).await;
    assert!(unknown.code == 2 && unknown.stderr.contains("--namespace"), "{unknown:?}");
    let away = hfi(&["import", "--live", "-n", "shop"], &[("KUBECONFIG", "/nowhere")]).await;
    assert_eq!(away.code, 3, "{away:?}");
}
