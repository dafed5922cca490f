//! `hfi import`: resources of Istio become AppConfigurations.

use std::fs;

use crate::support::command::{Ended, hfi, hfi_reading};

const PEERS: &str = "apiVersion: security.istio.io/v1beta1
kind: PeerAuthentication
metadata: {name: strict, namespace: shop, labels: {app.kubernetes.io/name: reviews}}
spec: {selector: {matchLabels: {app.kubernetes.io/name: reviews}}, mtls: {mode: STRICT}}
";

const IMPORTED: &str = "apiVersion: hfi.dev/v1
kind: AppConfiguration
metadata:
  name: reviews
  namespace: shop
spec:
  peerAuthentication:
    resourceName: strict
    adopt: true
    mtls: strict
";

const SHADOW: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
  {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
   "metadata": {"name": "shadow", "namespace": "shop", "annotations": {"istio.io/dry-run": "true"}},
   "spec": {"rules": [{"from": [{"source": {"principals": ["cluster.local/ns/shop/sa/web"]}}]}]}},
  {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
   "metadata": {"name": "strict", "labels": {"app.kubernetes.io/name": "reviews"}},
   "spec": {"selector": {"matchLabels": {"app.kubernetes.io/name": "reviews"}}, "mtls": {"mode": "STRICT"}}},
  {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "reviews", "namespace": "shop"}}
]}"#;

#[tokio::test]
async fn a_file_becomes_a_document() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("peers.yaml");
    fs::write(&file, PEERS).unwrap();
    let ended = hfi(&["import", "-f", file.to_str().unwrap()], &[]).await;
    let Ended { code, stdout, stderr } = ended;
    assert_eq!((code, stdout.as_str()), (0, IMPORTED), "{stderr}");
    assert_eq!(stderr, "1 AppConfiguration of 1 object\n");
}

#[tokio::test]
async fn what_would_do_something_else_is_left_out_and_told() {
    let Ended { code, stdout, stderr } = hfi_reading(&["import", "-n", "shop", "-f", "-"], &[], SHADOW).await;
    assert_eq!((code, stdout.as_str()), (1, IMPORTED), "{stderr}");
    assert!(stderr.starts_with("error: AuthorizationPolicy shop/shadow: is left out: "), "{stderr}");
    assert!(stderr.contains("left out, since no application has such a kind: 1 Service\n"), "{stderr}");
}

#[tokio::test]
async fn a_directory_gets_a_file_for_each_application_and_loses_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop/reviews.yaml");
    let output = format!("dir={}", folder.path().display());
    let import = ["import", "-f", "-", "-o", &output];
    for _ in 0..2 {
        let ended = hfi_reading(&import, &[], PEERS).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{ended:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), IMPORTED);
    }
    fs::write(&file, "# mine\n").unwrap();
    let refused = hfi_reading(&import, &[], PEERS).await;
    assert_eq!((refused.code, fs::read_to_string(&file).unwrap().as_str()), (2, "# mine\n"), "{refused:?}");
}

#[tokio::test]
async fn what_cannot_be_read_is_told_with_its_place() {
    let wrong = hfi_reading(&["import", "-f", "-"], &[], "a: [").await;
    assert!(wrong.code == 1 && wrong.stderr.starts_with("error: stdin:1:"), "{wrong:?}");
    let absent = hfi(&["import", "-f", "nowhere.yaml"], &[]).await;
    assert!(absent.code == 2 && absent.stderr.contains("cannot read nowhere.yaml: "), "{absent:?}");
    let nothing = hfi_reading(&["import", "-f", "-"], &[], "kind: Service\n").await;
    assert!(nothing.code == 1 && nothing.stderr.contains("nothing was imported"), "{nothing:?}");
}

#[tokio::test]
async fn what_is_imported_is_rendered_as_it_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_str().unwrap();
    let imported = hfi_reading(&["import", "-f", "-", "-o", &format!("dir={directory}")], &[], PEERS).await;
    assert_eq!(imported.code, 0, "{imported:?}");
    let rendered = hfi(&["render", directory], &[]).await;
    assert_eq!(rendered.code, 0, "{rendered:?}");
    let spec = "spec:\n  mtls:\n    mode: STRICT\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: reviews\n";
    assert!(rendered.stdout.contains("\n  name: strict\n"), "{rendered:?}");
    assert!(rendered.stdout.ends_with(spec), "{rendered:?}");
}
