//! Every problem in a cluster is found, with its cause and the next step; nothing else is.

mod artifacts;
mod control_plane;
mod gateways;
mod lost_plugins;
mod obstacles;
mod plugins;
mod proxies;
mod waypoints;

use reconciler::api::filters::Filter;
use reconciler::doctor::{
    Severity, findings,
    inventory::{Answer, Inventory, Istio, Name, Plugin, Pod, ProxyKind, Replica},
};
use serde_json::{Value, json};

const MODULE: &str = "5f2c3a9e8b7d6c5f4e3d2c1b0a99887766554433221100ffeeddccbbaa998877";

fn name(namespace: &str, name: &str) -> Name {
    Name { namespace: namespace.into(), name: name.into() }
}

fn plugin(namespace: &str, changed: &Value) -> Plugin {
    let mut spec = json!({
        "url": format!("http://hfi-control-plane.boifi.svc.cluster.local:8080/filter/{MODULE}.wasm"),
        "sha256": MODULE,
        "phase": "STATS",
        "failStrategy": "FAIL_OPEN",
        "match": [{"mode": "SERVER"}],
        "pluginConfig": {"control_plane_address": "hfi-control-plane.boifi.svc.cluster.local:8080"},
    });
    let (fields, changed) = (spec.as_object_mut().unwrap(), changed.as_object().unwrap());
    fields.extend(changed.clone());
    fields.retain(|_, value| !value.is_null());
    serde_json::from_value(json!({"metadata": {"namespace": namespace, "name": "hfi"}, "spec": spec}))
        .unwrap()
}

fn waypoint_plugin() -> Plugin {
    plugin("shop", &json!({"match": null, "targetRefs": [{"kind": "Gateway", "name": "waypoint"}]}))
}

fn answer(changed: &Value) -> Answer {
    let mut status = json!({
        "revision": "main@sha1:1",
        "digest": "sha256:0011223344",
        "halted": false,
        "source": {"lastSuccess": "2026-11-21T00:00:00Z", "ageSeconds": 1.0, "failing": null},
        "policies": [{
            "name": "cart-errors",
            "state": "active",
            "targets": {"selector": {"service": "cart", "namespace": "demo"}, "direction": "inbound", "destination": null},
        }],
        "rejected": [],
    });
    status.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    let pods = ["cart-1.demo", "front-1.demo", "waypoint-1.shop"];
    let filters = pods.map(|pod| filter(pod, "in_step")).into();
    Answer { status: serde_json::from_value(status).unwrap(), filters, modules: vec![MODULE.into()] }
}

fn filter(pod: &str, state: &str) -> Filter {
    let node = format!("sidecar~10.0.0.1~{pod}~demo.svc.cluster.local");
    serde_json::from_value(json!({"lastContact": "2026-11-21T00:00:00Z", "node": node, "state": state}))
        .unwrap()
}

fn pod(service: &str, number: u8) -> Pod {
    Pod {
        name: name("demo", &format!("{service}-{number}")),
        labels: [("app".to_owned(), service.to_owned())].into(),
        workload: service.into(),
        has_proxy: true,
        kind: ProxyKind::Sidecar,
        opts_out: None,
        revision: None,
        ports: Vec::new(),
        addresses: Vec::new(),
        started: None,
        extensions: None,
        modules: None,
        complaint: None,
    }
}

fn waypoint_pod() -> Pod {
    let labels = [("gateway.networking.k8s.io/gateway-name".to_owned(), "waypoint".to_owned())].into();
    Pod { name: name("shop", "waypoint-1"), labels, ..pod("waypoint", 1) }
}

/// Two replicas, a namespace with sidecars, and one with a waypoint.
fn healthy() -> Inventory {
    let replica = |pod: &str| Replica { pod: pod.into(), answer: Ok(answer(&json!({}))) };
    Inventory {
        control_plane: name("boifi", "hfi-control-plane"),
        deployment: Some((2, 2)),
        replicas: vec![replica("hfi-a"), replica("hfi-b")],
        kubernetes: Some("v1.36.3+k3s1".into()),
        flux: Some("v2.9.0".into()),
        istio: Istio {
            version: Some("1.30.1".into()),
            root_namespace: "istio-system".into(),
            providers: vec!["hfi-control-plane.boifi.svc.cluster.local".into()],
        },
        links: Vec::new(),
        unseen: [].into(),
        applier: None,
        plugins: vec![plugin("demo", &json!({})), waypoint_plugin()],
        sidecars: Vec::new(),
        namespaces: [("demo".into(), [("istio-injection".into(), "enabled".into())].into())].into(),
        pods: vec![pod("cart", 1), pod("front", 1), waypoint_pod()],
        services: Vec::new(),
        waypoints: vec![name("shop", "waypoint")],
        listening: None,
    }
}

/// Breaks one thing, and says of what the one finding must speak: its subject, its message, its next step.
#[track_caller]
fn found(severity: Severity, words: [&str; 3], spoil: impl FnOnce(&mut Inventory)) {
    let mut observed = healthy();
    spoil(&mut observed);
    let found = findings(&observed);
    let [finding] = &found[..] else { panic!("{words:?}: {found:#?}") };
    assert_eq!(finding.severity, severity, "{finding:#?}");
    for (said, word) in [&finding.subject, &finding.message, &finding.next].into_iter().zip(words) {
        assert!(said.contains(word), "`{word}` is not in {finding:#?}");
    }
}

fn error(words: [&str; 3], spoil: impl FnOnce(&mut Inventory)) {
    found(Severity::Error, words, spoil);
}

fn warning(words: [&str; 3], spoil: impl FnOnce(&mut Inventory)) {
    found(Severity::Warning, words, spoil);
}

#[test]
fn of_a_healthy_one_there_is_nothing_to_say() {
    assert_eq!(findings(&healthy()), []);
}
