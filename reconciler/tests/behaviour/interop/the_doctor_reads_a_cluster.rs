//! `hfi doctor` on a real API server, whose pods are processes of this machine.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use harness::{HFI_ADDRESS, KubeApi, module_at, wasm_plugin};
use policies::Digest;
use serde_json::{Value, json};

use crate::{
    support::cluster::{PATIENCE, create, define, own_address, pod, until},
    support::flux::manifests,
    support::policy,
    support::process::{Process, text},
};

const MODULE: &[u8] = b"\0asm module";
const PROXY: &str = r#"{"name": "istio-proxy", "image": "proxyv2:1.30.1"}"#;

fn deployment(name: &str, app: &str, image: &str) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"app": app}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": app}},
            "template": {
                "metadata": {"labels": {"app": app}},
                "spec": {"containers": [{"name": "main", "image": image}]},
            },
        },
        "status": {"replicas": 2, "readyReplicas": 2},
    })
}

/// A mesh in which all is well, but for what the caller adds.
async fn installation(hfi: &Process) -> KubeApi {
    let api = KubeApi::start().await.unwrap();
    api.create_namespace("istio-system").await.unwrap();
    define(&api, "extensions.istio.io", "v1alpha1", "WasmPlugin").await;
    define(&api, "gateway.networking.k8s.io", "v1", "Gateway").await;
    let port: u16 = hfi.url.rsplit(':').next().unwrap().parse().unwrap();
    let within = |group: &str, namespace: &str| format!("/{group}/namespaces/{namespace}");
    let deployments = |namespace| within("apis/apps/v1", namespace) + "/deployments";
    create(&api, &deployments("boifi"), deployment("hfi-control-plane", "hfi", "hfi:1")).await;
    create(&api, &deployments("istio-system"), deployment("istiod", "istiod", "pilot:1.30.1-distroless"))
        .await;
    let mesh = "extensionProviders:\n- name: hfi\n  opentelemetry:\n    service: hfi-control-plane.boifi.svc.cluster.local\n";
    let config = json!({"metadata": {"name": "istio"}, "data": {"mesh": mesh}});
    create(&api, "/api/v1/namespaces/istio-system/configmaps", config).await;
    let (ip, ports) = (own_address(), json!([{"containerPort": port}]));
    for name in ["hfi-a", "hfi-b"] {
        let containers = json!([{"name": "hfi", "image": "hfi:1", "ports": ports}]);
        create(&api, "/api/v1/namespaces/boifi/pods", pod(name, "hfi", ip, containers)).await;
    }
    let digest = Digest::of(MODULE).to_string().replace("sha256:", "");
    let mut spec = module_at(HFI_ADDRESS, &digest);
    spec["phase"] = json!("STATS");
    spec["failStrategy"] = json!("FAIL_OPEN");
    spec["match"] = json!([{"mode": "SERVER"}]);
    spec["pluginConfig"] = json!({"control_plane_address": HFI_ADDRESS});
    let plugin = wasm_plugin("hfi", spec);
    create(&api, &(within("apis/extensions.istio.io/v1alpha1", "demo") + "/wasmplugins"), plugin).await;
    add_workload(&api, "checkout-1").await;
    api
}

async fn add_workload(api: &KubeApi, name: &str) {
    let containers =
        json!([{"name": "main", "image": "shop:1"}, serde_json::from_str::<Value>(PROXY).unwrap()]);
    let pod = pod(name, "checkout", own_address(), containers);
    create(api, "/api/v1/namespaces/demo/pods", pod).await;
}

/// Pods of the control plane and of the mesh that were evicted, or are about to end.
async fn add_former_pods(api: &KubeApi) {
    for (namespace, app) in [("boifi", "hfi"), ("demo", "checkout")] {
        let collection = format!("/api/v1/namespaces/{namespace}/pods");
        let containers = json!([serde_json::from_str::<Value>(PROXY).unwrap()]);
        let mut evicted = pod("evicted", app, own_address(), containers.clone());
        evicted["status"]["phase"] = "Failed".into();
        create(api, &collection, evicted).await;
        let mut ending = pod("ending", app, own_address(), containers);
        // It stays for as long as somebody has something to do about it.
        ending["metadata"]["finalizers"] = json!(["example.com/test"]);
        create(api, &collection, ending).await;
        api.ask("DELETE", &format!("{collection}/ending"), &[], "").await.unwrap();
    }
}

/// A replica that has not read the policies yet.
async fn add_unready_replica(api: &KubeApi, name: &str) {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let answer =
                "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 8\r\nconnection: close\r\n\r\nstarting";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let containers = json!([{"name": "hfi", "image": "hfi:1", "ports": [{"containerPort": port}]}]);
    create(api, "/api/v1/namespaces/boifi/pods", pod(name, "hfi", own_address(), containers)).await;
}

/// Runs the doctor: its exit code, its findings, and its complaint.
fn ask(api: &KubeApi, token: &str, arguments: &[&str]) -> (i32, Value, String) {
    let kubeconfig = api.kubeconfig(token, &api.url()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hfi"));
    command.arg("doctor").args(["-o", "json"]).args(arguments).env("KUBECONFIG", kubeconfig);
    let output = command.output().unwrap();
    let findings = serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default();
    let complaint = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), findings["findings"].clone(), complaint)
}

#[tokio::test]
async fn and_says_what_is_wrong_there() {
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("filter.wasm");
    fs::write(&module, MODULE).unwrap();
    fs::write(folder.path().join("a.yaml"), policy("checkout-errors", "checkout", 503)).unwrap();
    let environment =
        [("HFI_DIR", text(folder.path())), ("HFI_FILTER", text(&module)), ("HFI_LISTEN", "0.0.0.0:0")];
    let hfi = Process::start(&environment).await;
    let mut api = installation(&hfi).await;
    let node = format!("sidecar~{}~checkout-1.demo~demo.svc.cluster.local", own_address());
    let node = [("x-hfi-node", node.as_str())];
    let scope = "/v1/snapshot?namespace=demo&service=checkout";
    let first = hfi.get(scope, &node).await;
    hfi.get(scope, &[node[0], ("if-none-match", &first.etag)]).await;
    assert_eq!(ask(&api, "admin", &[]), (0, json!([]), String::new()));

    add_former_pods(&api).await;
    assert_eq!(ask(&api, "admin", &[]), (0, json!([]), String::new()));

    add_unready_replica(&api, "hfi-c").await;
    let begun = Instant::now();
    let (code, findings, complaint) = ask(&api, "admin", &[]);
    assert!(begun.elapsed() < Duration::from_secs(30), "it took {:?}", begun.elapsed());
    assert_eq!((code, findings.as_array().map(Vec::len)), (1, Some(1)), "{findings} {complaint}");
    assert_eq!(findings[0]["subject"], "Pod boifi/hfi-c");
    assert!(findings[0]["message"].as_str().unwrap().contains("503"), "{findings}");
    api.ask("DELETE", "/api/v1/namespaces/boifi/pods/hfi-c", &[], "").await.unwrap();

    // Known by its label alone.
    let plugins = "/apis/extensions.istio.io/v1alpha1/namespaces/demo/wasmplugins";
    let spec = json!({
        "url": "oci://registry.example/filter",
        "selector": {"matchLabels": {"app": "email"}},
        "phase": "STATS",
        "failStrategy": "FAIL_OPEN",
        "match": [{"mode": "SERVER"}],
    });
    let mut inert = wasm_plugin("inert", spec);
    inert["metadata"]["labels"] = json!({"app.kubernetes.io/part-of": "hfi"});
    create(&api, plugins, inert).await;
    let (code, findings, complaint) = ask(&api, "admin", &[]);
    assert_eq!((code, findings.as_array().map(Vec::len)), (1, Some(1)), "{findings} {complaint}");
    assert_eq!(findings[0]["subject"], "WasmPlugin demo/inert");
    api.ask("DELETE", &format!("{plugins}/inert"), &[], "").await.unwrap();

    define(&api, "kustomize.toolkit.fluxcd.io", "v1", "Kustomization").await;
    let source = json!({"kind": "ExternalArtifact", "name": "hfi-istio-shop"});
    let link = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": "shop"},
        "spec": {"serviceAccountName": "hfi-istio-shop", "sourceRef": source},
    });
    let links = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/boifi/kustomizations";
    create(&api, links, link).await;
    let (code, findings, complaint) = ask(&api, "admin", &[]);
    assert_eq!((code, findings.as_array().map(Vec::len)), (1, Some(1)), "{findings} {complaint}");
    assert_eq!(findings[0]["subject"], "ServiceAccount boifi/hfi-control-plane");
    assert!(findings[0]["message"].as_str().unwrap().contains("have made in shop:"), "{findings}");
    assert!(api.apply(&manifests("k8s/components/istio-adoption/rbac.yaml")).await.unwrap().is_empty());
    // The right takes effect a little later.
    until("it may see them", PATIENCE, async || {
        (ask(&api, "admin", &[]) == (0, json!([]), String::new())).then_some(())
    })
    .await;
    api.ask("DELETE", &format!("{links}/shop"), &[], "").await.unwrap();

    add_workload(&api, "checkout-2").await;
    let (code, findings, complaint) = ask(&api, "admin", &[]);
    assert_eq!((code, findings.as_array().map(Vec::len)), (1, Some(1)), "{findings} {complaint}");
    assert_eq!(findings[0]["subject"], "Pod demo/checkout-2");
    assert_eq!(findings[0]["severity"], "error");

    let deleted = api.ask("DELETE", "/api/v1/namespaces/demo/pods/checkout-2", &[], "").await;
    deleted.unwrap();
    let controller = "/apis/apps/v1/namespaces/istio-system/deployments";
    let mut flux = deployment("kustomize-controller", "flux", "kustomize-controller:v1.8.0");
    flux["metadata"]["labels"] =
        json!({"app.kubernetes.io/component": "kustomize-controller", "app.kubernetes.io/version": "v2.8.0"});
    create(&api, controller, flux).await;
    assert_eq!(ask(&api, "admin", &[]), (0, json!([]), String::new()), "it does not deploy hfi");
    let label = json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "hfi"}}}).to_string();
    let merge = [("content-type", "application/merge-patch+json")];
    let ours = "/apis/apps/v1/namespaces/boifi/deployments/hfi-control-plane";
    api.ask("PATCH", ours, &merge, &label).await.unwrap();
    let (code, findings, complaint) = ask(&api, "admin", &[]);
    assert_eq!((code, findings.as_array().map(Vec::len)), (1, Some(1)), "{findings} {complaint}");
    assert_eq!(findings[0]["subject"], "Flux v2.8.0");

    drop(hfi);
    let (code, findings, _) = ask(&api, "admin", &[]);
    let subjects: Vec<_> =
        findings.as_array().unwrap().iter().map(|finding| finding["subject"].as_str().unwrap()).collect();
    assert_eq!(code, 1);
    assert!(subjects.contains(&"Pod boifi/hfi-a") && subjects.contains(&"Pod boifi/hfi-b"), "{findings}");

    let (code, findings, _) = ask(&api, "admin", &["--namespace", "elsewhere"]);
    assert_eq!((code, &findings[0]["message"]), (1, &json!("does not exist")), "{findings}");

    let (code, _, complaint) = ask(&api, "nobody", &[]);
    assert_eq!(code, 3);
    assert!(complaint.contains("cannot read WasmPlugins") && complaint.contains("403"), "{complaint}");
    api.kill().await.unwrap();
    let (code, _, complaint) = ask(&api, "admin", &[]);
    assert_eq!(code, 3);
    assert!(complaint.contains("onnection refused"), "{complaint}");
}

#[tokio::test]
async fn and_says_where_reads_are_closed_and_how_to_give_it_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let (module, view) = (folder.path().join("filter.wasm"), folder.path().join("view"));
    fs::write(&module, MODULE).unwrap();
    fs::write(&view, "doctor views-0123456789abcdef\n").unwrap();
    let environment = [
        ("HFI_DIR", text(folder.path())),
        ("HFI_FILTER", text(&module)),
        ("HFI_LISTEN", "0.0.0.0:0"),
        ("HFI_VIEW_TOKEN_FILE", text(&view)),
    ];
    let hfi = Process::start(&environment).await;
    let api = installation(&hfi).await;
    let (code, findings, complaint) = ask(&api, "admin", &[]);
    assert_eq!((code, findings.as_array().map(Vec::len)), (1, Some(2)), "{findings} {complaint}");
    for (finding, pod) in findings.as_array().unwrap().iter().zip(["hfi-a", "hfi-b"]) {
        assert_eq!(finding["subject"], format!("Pod boifi/{pod}"));
        assert!(finding["message"].as_str().unwrap().contains("asks for a token"), "{findings}");
        let next = finding["next"].as_str().unwrap();
        assert!(next.contains("--token-file FILE") && !next.contains("NetworkPolicy"), "{findings}");
    }

    // With one it asks by port-forward, which nobody here answers: there is no kubelet.
    let token = folder.path().join("token");
    fs::write(&token, "views-0123456789abcdef").unwrap();
    let (code, findings, complaint) = ask(&api, "admin", &["--token-file", text(&token)]);
    assert_eq!((code, findings.as_array().map(Vec::len)), (1, Some(2)), "{findings} {complaint}");
    assert!(findings[0]["message"].as_str().unwrap().contains("no port-forward to it"), "{findings}");
    assert!(!findings.to_string().contains("views-"), "{findings}");

    let (code, _, complaint) = ask(&api, "admin", &["--token-file", "/nowhere/token"]);
    assert_eq!(code, 2);
    assert!(complaint.contains("the token file /nowhere/token cannot be read"), "{complaint}");
    let (code, _, complaint) = ask(&api, "admin", &["--service-account", "demo/nobody"]);
    assert_eq!(code, 3);
    assert!(complaint.contains("cannot get a token of the ServiceAccount demo/nobody"), "{complaint}");
}

#[test]
fn without_a_cluster_it_says_so() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_hfi")).args(["doctor"]).env("KUBECONFIG", "/nowhere").output();
    let output = output.unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{complaint}");
    assert!(complaint.starts_with("error: no cluster: /nowhere: "), "{complaint}");
}
