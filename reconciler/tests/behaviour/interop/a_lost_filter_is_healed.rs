//! With `--proxies heal`, the leader has a plugin sent again when a proxy that should run the filter polls no replica.

use std::{
    fs,
    net::IpAddr,
    time::{Duration, Instant},
};

use harness::{HFI_ADDRESS, KubeApi, module_at, paths, wasm_plugin};
use policies::Digest;
use serde_json::{Value, json};

use crate::{
    support::cluster::{create, define, events, own_address, peer, pod, set_endpoints, shown, start, until},
    support::policy,
    support::process::{Process, text},
};

const PLUGIN: &str = "/apis/extensions.istio.io/v1alpha1/namespaces/demo/wasmplugins";
/// Proxies get 40 s to find a replica, all of which the leader asks every 5 s.
const PATIENCE: Duration = Duration::from_secs(90);

/// An API server that grants the rights of the component.
async fn cluster() -> KubeApi {
    let api = KubeApi::start().await.unwrap();
    let rights = fs::read_to_string(paths::workspace().join("k8s/components/healing/rbac.yaml")).unwrap();
    let rights: Vec<Value> = serde_yaml::from_multiple(&rights).unwrap();
    assert!(api.apply(&rights).await.unwrap().is_empty());
    define(&api, "extensions.istio.io", "v1alpha1", "WasmPlugin").await;
    api
}

async fn add_proxy(api: &KubeApi, name: &str, ip: IpAddr) {
    let mut proxy = pod(name, name, ip, json!([{"name": "istio-proxy", "image": "proxyv2:1.30.1"}]));
    let started = "2026-11-28T00:00:00Z";
    proxy["status"]["containerStatuses"] = json!([{
        "name": "istio-proxy", "image": "proxyv2:1.30.1", "imageID": "", "ready": true, "restartCount": 0,
        "state": {"running": {"startedAt": started}},
    }]);
    create(api, "/api/v1/namespaces/demo/pods", proxy).await;
}

fn plugin(name: &str, digest: &str) -> Value {
    let mut spec = module_at(HFI_ADDRESS, digest);
    spec["match"] = json!([{"mode": "SERVER"}]);
    spec["pluginConfig"] = json!({"control_plane_address": HFI_ADDRESS});
    wasm_plugin(name, spec)
}

async fn poll(hfi: &Process, pod: &str) {
    poll_naming(hfi, pod, &[]).await;
}

async fn poll_naming(hfi: &Process, pod: &str, plugins: &[(&str, &str)]) {
    let node = format!("sidecar~{}~{pod}.demo~demo.svc.cluster.local", own_address());
    let headers = [&[("x-hfi-node", node.as_str())], plugins].concat();
    hfi.get(&format!("/v1/snapshot?namespace=demo&service={pod}"), &headers).await;
}

async fn sent_again(api: &KubeApi, plugin: &str) -> Option<String> {
    let plugin = api.get(&format!("{PLUGIN}/{plugin}")).await.unwrap();
    plugin["metadata"]["annotations"]["hfi.dev/sent-again"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn a_proxy_that_polls_no_replica_gets_its_plugin_again() {
    let api = cluster().await;
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("filter.wasm");
    fs::write(&module, b"\0asm module").unwrap();
    fs::write(folder.path().join("a.yaml"), policy("typo", "catr-1", 503)).unwrap();
    let environment = [
        ("HFI_DIR", text(folder.path())),
        ("HFI_FILTER", text(&module)),
        ("HFI_LISTEN", "0.0.0.0:0"),
        ("HFI_PROXIES", "heal"),
    ];
    let digest = Digest::of(b"\0asm module").to_string().replace("sha256:", "");
    create(&api, PLUGIN, plugin("hfi", &digest)).await;
    create(&api, PLUGIN, plugin("absent", &"0".repeat(64))).await;
    for name in ["cart-1", "mail-1"] {
        add_proxy(&api, name, own_address()).await;
    }
    let leader = start(&api, "hfi", &environment).await;
    peer(&leader, "it leads", |peer| peer["leader"] == true).await;
    let other = start(&api, "hfi", &environment).await;
    let begun = Instant::now();
    set_endpoints(&api, &[&leader, &other]).await;

    // One of them polls the replica that does not lead; the other one polls nobody.
    let sent = until("the plugin is sent again", PATIENCE, async || {
        poll(&other, "cart-1").await;
        sent_again(&api, "hfi").await
    })
    .await;
    assert!(begun.elapsed() > Duration::from_secs(38), "before proxies had time: {:?}", begun.elapsed());
    assert_eq!(sent_again(&api, "absent").await, None, "no replica has its module");
    let told = until("it is told", PATIENCE, async || {
        let events = events(&api).await;
        events.into_iter().find(|(_, reason, _)| reason == "PluginSentAgain")
    })
    .await;
    assert_eq!(told.0, "Warning");
    assert!(told.2.contains("WasmPlugin demo/hfi") && told.2.contains("demo/mail-1"), "{told:?}");
    assert!(!told.2.contains("cart-1"), "{told:?}");
    let cluster = leader.json("/v1/policies/status").await["kubernetes"].clone();
    let proxies = &cluster["proxies"];
    assert_eq!(
        (&proxies["covered"], proxies["silent"].as_array().unwrap().len()),
        (&json!(2), 1),
        "{cluster}"
    );
    let silent = &proxies["silent"][0];
    assert_eq!((&silent["namespace"], &silent["pod"]), (&json!("demo"), &json!("mail-1")));
    assert_eq!(silent["plugins"], json!(["demo/absent", "demo/hfi"]));
    let shown = shown(&api, &leader, |status| status["silentProxies"][0].is_object()).await;
    assert_eq!(shown["silentProxies"][0]["pod"], "demo/mail-1", "{shown}");
    assert_eq!(leader.metric("hfi_proxies_silent").await, Some(1.0));
    let banner = leader.json("/v1/overview").await["banners"][0]["sentence"].take();
    assert!(
        banner.as_str().unwrap().ends_with("; 1 proxy that should run the filter is not heard of"),
        "{banner}"
    );
    let follower = other.json("/v1/policies/status").await;
    assert_eq!(follower["kubernetes"]["proxies"], Value::Null, "only the leader looks");

    // Each replica knows what all of them hear.
    let status = leader.json("/v1/policies/status").await;
    assert_eq!(status["policies"][0]["noProxy"], json!({"nearest": ["cart-1.demo"]}), "{status}");

    until("all poll", PATIENCE, async || {
        poll(&other, "cart-1").await;
        poll(&leader, "mail-1").await;
        (leader.metric("hfi_proxies_silent").await == Some(0.0)).then_some(())
    })
    .await;
    assert_eq!(sent_again(&api, "hfi").await, Some(sent), "it is sent once");

    let remembered = async || leader.json("/v1/filters").await["filters"].as_array().unwrap().len();
    let lag = async || leader.json("/v1/overview").await["filters"]["lagging"].take();
    assert_eq!((remembered().await, lag().await), (1, json!(1)), "it has not said what it runs");
    api.ask("DELETE", "/api/v1/namespaces/demo/pods/mail-1", &[], "").await.unwrap();
    until("the filter counts no more", PATIENCE, async || (lag().await == json!(0)).then_some(())).await;
    assert_eq!(remembered().await, 1);
    until("the pod is forgotten", PATIENCE, async || {
        (leader.metric("hfi_proxies_covered").await == Some(1.0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn of_two_plugins_the_one_that_a_proxy_lost_is_sent_again() {
    let api = cluster().await;
    let folder = tempfile::tempdir().unwrap();
    let environment =
        [("HFI_DIR", text(folder.path())), ("HFI_LISTEN", "0.0.0.0:0"), ("HFI_PROXIES", "heal")];
    for name in ["hfi-inbound", "hfi-outbound"] {
        let mut plugin = plugin(name, &"0".repeat(64));
        plugin["spec"]["url"] = "oci://registry.example/hfi".into();
        create(&api, PLUGIN, plugin).await;
    }
    // One of them is of no kind that can be read.
    let mut wrong = plugin("wrong", &"0".repeat(64));
    wrong["spec"]["pluginConfig"]["namespaces"] = "demo".into();
    create(&api, PLUGIN, wrong).await;
    // The second one runs the filter of an older release, which names no plugins.
    for name in ["cart-1", "mail-1"] {
        add_proxy(&api, name, own_address()).await;
    }
    let hfi = start(&api, "hfi", &environment).await;
    set_endpoints(&api, &[&hfi]).await;

    let lost = ("x-hfi-plugins", "demo/hfi-inbound");
    until("the plugin is sent again", PATIENCE, async || {
        poll(&hfi, "mail-1").await;
        poll_naming(&hfi, "cart-1", &[lost]).await;
        sent_again(&api, "hfi-outbound").await
    })
    .await;
    assert_eq!(sent_again(&api, "hfi-inbound").await, None, "it runs");
    let annotations =
        api.get(&format!("{PLUGIN}/hfi-outbound")).await.unwrap()["metadata"]["annotations"].clone();
    assert_eq!(annotations["hfi.dev/sent-again-count"], "1");
    let cluster = hfi.json("/v1/policies/status").await["kubernetes"].clone();
    let silent = &cluster["proxies"]["silent"];
    assert_eq!(
        (&cluster["proxies"]["covered"], silent.as_array().unwrap().len()),
        (&json!(2), 1),
        "{cluster}"
    );
    assert_eq!((&silent[0]["pod"], &silent[0]["plugins"]), (&json!("cart-1"), &json!(["demo/hfi-outbound"])));
    let metrics = hfi.get("/metrics", &[]).await.body;
    let metrics = String::from_utf8_lossy(&metrics);
    assert!(metrics.contains(r#"proxy="cart-1",plugins="demo/hfi-outbound""#), "{metrics}");
    let failing = &cluster["failing"][0];
    assert_eq!(failing["duty"], "proxies", "{cluster}");
    assert!(
        failing["reason"].as_str().unwrap().contains("WasmPlugin demo/wrong cannot be read"),
        "{cluster}"
    );

    until("it runs again", PATIENCE, async || {
        poll(&hfi, "mail-1").await;
        poll_naming(&hfi, "cart-1", &[("x-hfi-plugins", "demo/hfi-outbound,demo/hfi-inbound")]).await;
        (hfi.metric("hfi_proxies_silent").await == Some(0.0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn while_a_replica_cannot_be_asked_no_proxy_is_accused() {
    let api = cluster().await;
    let folder = tempfile::tempdir().unwrap();
    let environment =
        [("HFI_DIR", text(folder.path())), ("HFI_LISTEN", "0.0.0.0:0"), ("HFI_PROXIES", "watch")];
    create(&api, PLUGIN, plugin("hfi", &"0".repeat(64))).await;
    add_proxy(&api, "cart-1", own_address()).await;
    let hfi = start(&api, "hfi", &environment).await;
    let mut gone = start(&api, "hfi", &environment).await;
    set_endpoints(&api, &[&hfi, &gone]).await;
    gone.signal("KILL");
    gone.ended(PATIENCE).await;
    let silent =
        |peer: &Value| peer["failing"].as_array().unwrap().iter().any(|task| task["duty"] == "replicas");
    let status = until("it is told", PATIENCE, async || {
        let peer = hfi.json("/v1/policies/status").await["kubernetes"].clone();
        silent(&peer).then_some(peer)
    })
    .await;
    assert!(status["failing"][0]["reason"].as_str().unwrap().contains("does not say which filters it hears"));
    // Something is known only if the leader had asked before the endpoints named the second replica.
    let known = &status["proxies"];
    assert!(known.is_null() || known["staleSince"].is_string() && known["silent"] == json!([]), "{status}");

    set_endpoints(&api, &[&hfi]).await;
    // What is known may be stale at first, and the duty and its result are told one after the other.
    let known = until("all replicas answer", PATIENCE, async || {
        let peer = hfi.json("/v1/policies/status").await["kubernetes"].clone();
        let is_new = peer["proxies"].is_object() && peer["proxies"]["staleSince"].is_null();
        (is_new && peer["failing"] == json!([])).then_some(peer)
    })
    .await;
    let new = json!({"covered": 1, "silent": [], "staleSince": null});
    assert_eq!(known["proxies"], new, "it may be on its way to this replica");

    set_endpoints(&api, &[&hfi, &gone]).await;
    let kept = until("it is told again", PATIENCE, async || {
        let peer = hfi.json("/v1/policies/status").await["kubernetes"].clone();
        assert_eq!(peer["proxies"]["covered"], 1, "what was known last is kept: {peer}");
        (peer["proxies"]["staleSince"].is_string() && silent(&peer)).then_some(peer)
    })
    .await;
    assert_eq!(kept["proxies"]["silent"], json!([]), "{kept}");
    assert_eq!(hfi.metric("hfi_proxies_covered").await, Some(1.0));
}
