//! Every problem in a cluster is found, with its cause and the next step; nothing else is.

use reconciler::api::filters::Filter;
use reconciler::doctor::{
    Severity, findings,
    inventory::{Answer, Inventory, Istio, Name, OptsOut, Plugin, Pod, ProxyKind, Replica, Service, Sidecar},
    silent, versions,
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
        plugins: vec![plugin("demo", &json!({})), waypoint_plugin()],
        sidecars: Vec::new(),
        namespaces: [("demo".into(), [("istio-injection".into(), "enabled".into())].into())].into(),
        pods: vec![pod("cart", 1), pod("front", 1), waypoint_pod()],
        services: Vec::new(),
        waypoints: vec![name("shop", "waypoint")],
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

#[test]
fn a_control_plane_that_is_not_well() {
    let every = |observed: &mut Inventory, changed: Value| {
        observed.replicas.iter_mut().for_each(|replica| replica.answer = Ok(answer(&changed)));
    };
    error(["Deployment boifi/hfi-control-plane", "does not exist", "--namespace"], |o| o.deployment = None);
    error(["Deployment", "scaled to 0", "--replicas=2"], |o| {
        o.deployment = Some((0, 0));
        o.replicas.clear();
    });
    error(["Deployment", "1 of 2 replicas", "describe"], |o| o.deployment = Some((2, 1)));
    warning(["Deployment", "one replica", "replicas: 2"], |o| o.deployment = Some((1, 1)));
    error(["Pod boifi/hfi-b", "connection refused", "logs hfi-b"], |o| {
        o.replicas[1].answer = Err("connection refused".into());
    });
    error(["Deployment", "hfi-b: main@sha1:2 sha256:9988", "--interval"], |o| {
        o.replicas[1].answer = Ok(answer(&json!({"revision": "main@sha1:2", "digest": "sha256:9988"})));
    });
    warning(["Deployment", "halted", "halt file"], |o| every(o, json!({"halted": true})));
    error(["Deployment", "no route to host", "credentials"], |o| {
        every(
            o,
            json!({"source": {"failing": {"since": "2026-11-21T00:00:00Z", "reason": "no route to host"}}}),
        );
    });
    warning(["Deployment", "a.yaml", "hfi validate"], |o| {
        every(o, json!({"rejected": [{"file": "a.yaml", "errors": []}]}))
    });
    let withdrawn = json!({"withdrawn": "the key has expired"});
    error(["Deployment", "the key has expired", "signed"], |o| every(o, withdrawn.clone()));
    // Of whichever replica: it is told once.
    error(["Deployment", "the key has expired", "signed"], |o| o.replicas[1].answer = Ok(answer(&withdrawn)));
    let failing = json!({"connected": false, "failing": [{"duty": "lease", "since": "2026-11-21T00:00:00Z", "reason": "forbidden"}]});
    warning(["Deployment", "(lease): forbidden", "ClusterRole"], |o| {
        o.replicas[1].answer = Ok(answer(&json!({"kubernetes": failing})));
    });
    warning(["policy typo", "namespace dmeo", "correct"], |o| {
        let targets = json!({"selector": {"service": "cart", "namespace": "dmeo"}, "direction": "inbound"});
        every(o, json!({"policies": [{"name": "typo", "state": "inactive", "targets": targets}]}));
    });
}

#[test]
fn an_istio_that_cannot_do_it() {
    error(["Istio", "no istiod", "--istio-namespace"], |o| o.istio.version = None);
    error(["Istio 1.21.0", "targetRefs", "upgrade"], |o| o.istio.version = Some("1.21.0".into()));
    warning(["Istio 1.21.0", "older than 1.22", "upgrade"], |o| {
        o.istio.version = Some("1.21.0".into());
        o.plugins.pop();
        o.pods.pop();
    });
}

#[test]
fn a_version_that_is_too_old() {
    warning(["Kubernetes v1.26.15+k3s1", "older than 1.27", "upgrade"], |o| {
        o.kubernetes = Some("v1.26.15+k3s1".into());
    });
    warning(["Flux v2.8.6", "older than 2.9", "upgrade"], |o| o.flux = Some("v2.8.6".into()));
    for (kubernetes, flux) in
        [("v1.27.0", Some("v2.9.0-rc.1")), ("v2.0.0", Some("v3.0.0")), ("v0.0.0-master+1", None)]
    {
        let mut observed = healthy();
        (observed.kubernetes, observed.flux) = (Some(kubernetes.into()), flux.map(Into::into));
        assert_eq!(findings(&observed), [], "{kubernetes} {flux:?}");
    }
}

/// What the documents say of versions is what is checked.
#[test]
fn the_documents_state_the_least_versions() {
    let documents = [include_str!("../../../README.md"), include_str!("../../../k8s/README.md")];
    let versions =
        [("Kubernetes", versions::KUBERNETES), ("Istio", versions::ISTIO), ("Flux", versions::FLUX)];
    for (name, (major, minor)) in versions {
        let stated = format!("{name} {major}.{minor}");
        assert!(documents.iter().all(|document| document.contains(&stated)), "{stated} is not stated");
    }
}

#[test]
fn a_plugin_that_endangers_traffic_or_does_nothing() {
    let changed = |fields: Value| move |o: &mut Inventory| o.plugins[0] = plugin("demo", &fields);
    let subject = "WasmPlugin demo/hfi";
    error([subject, "denies all traffic", "FAIL_OPEN"], changed(json!({"failStrategy": null})));
    error([subject, "FAIL_RELOAD", "FAIL_OPEN"], changed(json!({"failStrategy": "FAIL_RELOAD"})));
    error([subject, "inbound and outbound", "SERVER"], changed(json!({"match": null})));
    error(
        [subject, "inbound and outbound", "SERVER"],
        changed(json!({"match": [{"mode": "CLIENT_AND_SERVER"}]})),
    );
    error([subject, "64 hexadecimal", "digest"], changed(json!({"sha256": "abc"})));
    error(
        [subject, "hfi-a does not hand out", "--filter"],
        changed(
            json!({"sha256": "0".repeat(64), "url": format!("http://hfi-control-plane.boifi.svc:8080/filter/{}.wasm", "0".repeat(64))}),
        ),
    );
    warning(
        [subject, "asks other.boifi:8080", "control_plane_address"],
        changed(json!({"pluginConfig": {"control_plane_address": "other.boifi:8080"}})),
    );
    warning([subject, "authorisation", "STATS"], changed(json!({"phase": "AUTHN"})));
    let both = json!({"selector": {"matchLabels": {"app": "cart"}}, "targetRefs": [{"kind": "Gateway", "name": "waypoint"}], "match": null});
    error(["WasmPlugin shop/hfi", "both a selector and targetRefs", "two"], |o| {
        o.plugins[1] = plugin("shop", &both)
    });
    error(
        ["WasmPlugin demo/hfi", "no `control_plane_address`", "boifi"],
        changed(json!({"pluginConfig": {}})),
    );
    error(
        ["WasmPlugin demo/hfi", "names another module", "digest"],
        changed(json!({"url": "http://hfi-control-plane.boifi.svc.cluster.local:8080/filter/0011.wasm"})),
    );
    error(["WasmPlugin boifi/hfi", "control plane", "remove"], |o| {
        o.plugins.push(plugin("boifi", &json!({})))
    });
    error(["WasmPlugin istio-system/hfi", "every proxy", "selector"], |o| {
        o.plugins.push(plugin("istio-system", &json!({})));
    });
}

#[test]
fn no_plugin_at_all() {
    let mut observed = Inventory { waypoints: Vec::new(), ..healthy() };
    observed.plugins.clear();
    let found = findings(&observed);
    assert!(found.iter().any(|finding| finding.message.contains("no proxy runs the filter")), "{found:#?}");
}

#[test]
fn a_proxy_that_should_run_the_filter_and_does_not() {
    let silence = |o: &mut Inventory| {
        for replica in &mut o.replicas {
            let filters = &mut replica.answer.as_mut().unwrap().filters;
            filters.retain(|filter| !filter.node.contains("cart"));
        }
    };
    let subject = "Pod demo/cart-1";
    error([subject, "WasmPlugin demo/hfi", "istioctl proxy-config cluster cart-1.demo"], silence);
    error([subject, "does not", "failed to load Wasm module: bad magic"], |o| {
        silence(o);
        o.pods[0].complaint = Some("failed to load Wasm module: bad magic".into());
    });
    error([subject, "does not", "runs no Wasm module: `kubectl --namespace demo annotate"], |o| {
        silence(o);
        o.pods[0].modules = Some(0);
    });
    error([subject, "does not", "which cannot poll: `istioctl proxy-config cluster"], |o| {
        silence(o);
        o.pods[0].modules = Some(2);
    });
    // Istio's agent fetches a module once.
    error([subject, "does not", "kubectl --namespace demo annotate wasmplugin hfi --overwrite"], silence);
    let hide = |o: &mut Inventory| {
        let sidecar = json!({"metadata": {"namespace": "demo", "name": "default"}, "spec": {"egress": [{"hosts": ["./*", "istio-system/*"]}]}});
        o.sidecars = vec![serde_json::from_value::<Sidecar>(sidecar).unwrap()];
    };
    error([subject, "does not", "Sidecar demo/default hides"], |o| {
        silence(o);
        hide(o);
    });
    error([subject, "has not polled since 2026-11-21T00:00:00Z", "istioctl"], |o| {
        silence(o);
        o.replicas[0].answer.as_mut().unwrap().filters.push(filter("cart-1.demo", "gone"));
    });
    warning([subject, "newest", "run the doctor again"], |o| {
        silence(o);
        o.replicas[0].answer.as_mut().unwrap().filters.push(filter("cart-1.demo", "lagging"));
    });
    // However far it is: it will not get there.
    error([subject, "cannot ask", "Sidecar demo/default hides"], |o| {
        silence(o);
        o.replicas[0].answer.as_mut().unwrap().filters.push(filter("cart-1.demo", "lagging"));
        hide(o);
    });
    error([subject, "policy cart-errors, and no WasmPlugin", "selector"], |o| {
        silence(o);
        o.plugins[0] = plugin("demo", &json!({"selector": {"matchLabels": {"app": "front"}}}));
    });
}

#[test]
fn no_proxy_is_accused_while_a_replica_cannot_be_asked() {
    let mut observed = healthy();
    for replica in &mut observed.replicas {
        replica.answer = Err("no answer within 5 s".into());
    }
    let found = findings(&observed);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.iter().all(|finding| finding.next.contains("NetworkPolicy")), "{found:#?}");
    assert_eq!(silent(&observed), []);

    // The one that answers has heard of none.
    error(["Pod boifi/hfi-b", "no answer", "NetworkPolicy"], |o| {
        o.replicas[0].answer.as_mut().unwrap().filters.clear();
        o.replicas[1].answer = Err("no answer within 5 s".into());
    });
    error(["Deployment", "does not exist", "--namespace"], |o| {
        o.deployment = None;
        o.replicas.clear();
    });
}

#[test]
fn a_workload_without_a_proxy() {
    let bare = |labels: &[(&str, &str)]| {
        let labels = labels.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        move |o: &mut Inventory| {
            o.namespaces.insert("demo".into(), labels);
            o.pods[0].has_proxy = false;
        }
    };
    let words = |next| ["Pod demo/cart-1", "has no proxy", next];
    error(words("delete pod cart-1"), bare(&[("istio-injection", "enabled")]));
    error(words("waypoint apply"), bare(&[("istio.io/dataplane-mode", "ambient")]));
    error(words("label namespace demo"), bare(&[]));
}

/// A pod in the ambient mesh, and a policy for it.
fn add_ambient(observed: &mut Inventory, namespace_labels: &[(&str, &str)], direction: &str) {
    let ambient = ("istio.io/dataplane-mode", "ambient");
    let labels = namespace_labels.iter().chain([&ambient]);
    let labels = labels.map(|(name, value)| (name.to_string(), value.to_string())).collect();
    observed.namespaces.insert("till".into(), labels);
    observed.pods.push(Pod { name: name("till", "pay-1"), has_proxy: false, ..pod("pay", 1) });
    add_policy(observed, "pay", "till", direction);
}

fn add_policy(observed: &mut Inventory, service: &str, namespace: &str, direction: &str) {
    let selector = json!({"service": service, "namespace": namespace});
    let targets = json!({"selector": selector, "direction": direction});
    let policy = json!({"name": "another", "state": "active", "targets": targets});
    for replica in &mut observed.replicas {
        let policies = &mut replica.answer.as_mut().unwrap().status.policies;
        policies.push(serde_json::from_value(policy.clone()).unwrap());
    }
}

/// No waypoint polls.
fn silence_waypoints(observed: &mut Inventory) {
    for replica in &mut observed.replicas {
        replica.answer.as_mut().unwrap().filters.retain(|filter| !filter.node.contains("waypoint"));
    }
}

/// The plugin of the waypoint asks for the policies of another namespace too.
fn ask_for_till(observed: &mut Inventory) {
    observed.plugins[1].spec.plugin_config.namespaces = vec!["shop".into(), "till".into()];
}

const BY_SHOP: [(&str, &str); 2] =
    [("istio.io/use-waypoint", "waypoint"), ("istio.io/use-waypoint-namespace", "shop")];

#[test]
fn what_is_right_is_not_accused() {
    type Change = fn(&mut Inventory);
    let healthy_too: [(&str, Change); 8] = [
        ("a waypoint of another namespace", |o| {
            add_ambient(o, &BY_SHOP, "inbound");
            ask_for_till(o);
        }),
        ("a waypoint of a Service", |o| {
            add_ambient(o, &[], "inbound");
            ask_for_till(o);
            let labels = BY_SHOP.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            let selector = [("app".to_owned(), "pay".to_owned())].into();
            o.services.push(Service { name: name("till", "pay"), labels, selector });
        }),
        ("a waypoint that no policy is for", |o| o.waypoints.push(name("shop", "other"))),
        ("a waypoint that polls, by whatever cluster", |o| o.istio.providers.clear()),
        ("an ingress gateway that no plugin names", |o| {
            let mut gateway = waypoint_pod();
            gateway.name = name("shop", "gateway-1");
            gateway.labels.insert("gateway.networking.k8s.io/gateway-name".into(), "gateway".into());
            o.pods.push(gateway);
        }),
        ("a pod on the network of its node, under a policy for all", |o| {
            add_policy(o, "*", "demo", "inbound");
            let opts_out = Some(OptsOut::HostNetwork);
            o.pods.push(Pod { has_proxy: false, opts_out, ..pod("agent", 1) });
        }),
        ("a pod without injection, under a policy for all", |o| {
            add_policy(o, "*", "demo", "inbound");
            o.pods.push(Pod { has_proxy: false, opts_out: Some(OptsOut::Inject), ..pod("job", 1) });
        }),
        ("a plugin for each direction", |o| {
            o.plugins.push(plugin("demo", &json!({"match": [{"mode": "CLIENT"}]})));
            add_policy(o, "front", "demo", "outbound");
        }),
    ];
    for (what, change) in healthy_too {
        let mut observed = healthy();
        change(&mut observed);
        assert_eq!(findings(&observed), [], "{what}");
    }
}

#[test]
fn a_pod_that_nothing_receives_for() {
    let subject = "Pod till/pay-1";
    error([subject, "no proxy", "waypoint apply"], |o| add_ambient(o, &[], "inbound"));
    error([subject, "no proxy", "label namespace till istio.io/use-waypoint=near"], |o| {
        add_ambient(o, &[], "inbound");
        o.waypoints.push(name("till", "near"));
    });
    error([subject, "no proxy", "only what is received"], |o| {
        add_ambient(o, &BY_SHOP, "outbound");
        ask_for_till(o);
    });
    error(["Pod demo/cart-1", "no proxy", "hostNetwork"], |o| {
        (o.pods[0].has_proxy, o.pods[0].opts_out) = (false, Some(OptsOut::HostNetwork));
    });
    error(["Pod demo/cart-1", "no proxy", "sidecar.istio.io/inject"], |o| {
        (o.pods[0].has_proxy, o.pods[0].opts_out) = (false, Some(OptsOut::Inject));
    });
}

#[test]
fn a_plugin_that_is_missing_or_one_too_many() {
    error(["Pod demo/front-1", "on what it sends", "CLIENT"], |o| {
        add_policy(o, "front", "demo", "outbound");
    });
    warning(["WasmPlugin demo/hfi", "both run in Pod demo/cart-1", "overlap"], |o| {
        o.plugins.push(plugin("demo", &json!({})));
    });
}

#[test]
fn a_gateway_that_is_silent() {
    error(["Pod shop/gateway-1", "WasmPlugin shop/hfi", "istioctl"], |o| {
        let mut gateway = waypoint_pod();
        gateway.name = name("shop", "gateway-1");
        gateway.labels.insert("gateway.networking.k8s.io/gateway-name".into(), "gateway".into());
        o.pods.push(gateway);
        o.istio.providers.clear();
        let target = json!([{"kind": "Gateway", "name": "gateway"}]);
        o.plugins.push(plugin("shop", &json!({"match": null, "targetRefs": target})));
    });
}

/// For Istio a gateway is a client, with a Gateway of the Gateway API or without.
#[test]
fn a_gateway_that_two_plugins_are_for_or_none() {
    fn add_gateway(o: &mut Inventory) {
        let mut gateway = Pod { kind: ProxyKind::Gateway, ..waypoint_pod() };
        gateway.name = name("demo", "gateway-1");
        gateway.labels.insert("gateway.networking.k8s.io/gateway-name".into(), "gateway".into());
        o.pods.push(gateway);
        let polls = filter("gateway-1.demo", "in_step");
        o.replicas[0].answer.as_mut().unwrap().filters.push(polls);
    }
    let outbound = plugin("demo", &json!({"match": [{"mode": "CLIENT"}]}));
    let target = |name: &str| json!({"match": null, "targetRefs": [{"kind": "Gateway", "name": name}]});
    warning(["WasmPlugin demo/hfi", "both run in Pod demo/gateway-1", "overlap"], |o| {
        add_gateway(o);
        o.plugins.push(outbound.clone());
        o.plugins.push(plugin("demo", &target("gateway")));
    });
    warning(["WasmPlugin demo/hfi", "Gateway demo/gatway, which has no pod", "targetRefs"], |o| {
        add_gateway(o);
        o.plugins.push(plugin("demo", &target("gatway")));
    });
    error(["Pod demo/ingress-1", "should run the filter", "annotate wasmplugin"], |o| {
        let kind = ProxyKind::Gateway;
        o.pods.push(Pod { name: name("demo", "ingress-1"), kind, ..pod("ingress", 1) });
        o.plugins.push(outbound);
    });
}

#[test]
fn a_waypoint_whose_plugin_does_not_ask_for_all_that_it_serves() {
    let words = ["WasmPlugin shop/hfi", "policies of namespace till", "namespaces: [shop, till]"];
    error(words, |o| add_ambient(o, &BY_SHOP, "inbound"));
    error(words, |o| {
        add_ambient(o, &BY_SHOP, "inbound");
        o.plugins[1].spec.plugin_config.namespaces = vec!["shop".into()];
    });
}

#[test]
fn a_waypoint_that_is_named_by_its_class_or_by_a_service() {
    error(["Pod shop/waypoint-1", "WasmPlugin istio-system/hfi", "annotate"], |o| {
        silence_waypoints(o);
        let class = json!([{"kind": "GatewayClass", "name": "istio-waypoint"}]);
        o.plugins[1] = plugin("istio-system", &json!({"match": null, "targetRefs": class}));
    });
    error(["Pod shop/waypoint-1", "WasmPlugin shop/hfi", "annotate"], |o| {
        silence_waypoints(o);
        let service = json!([{"kind": "Service", "name": "pay"}]);
        o.plugins[1] = plugin("shop", &json!({"match": null, "targetRefs": service}));
        let labels = [("istio.io/use-waypoint".to_owned(), "waypoint".to_owned())].into();
        o.services.push(Service { name: name("shop", "pay"), labels, selector: [].into() });
    });
}

#[test]
fn a_waypoint_without_a_filter() {
    warning(["waypoint shop/other", "runs no filter: policy another", "targetRefs"], |o| {
        o.waypoints.push(name("shop", "other"));
        let labels = [("istio.io/use-waypoint", "other"), BY_SHOP[1]];
        add_ambient(o, &labels, "inbound");
    });
}

#[test]
fn a_waypoint_whose_filter_is_silent() {
    error(["Pod shop/waypoint-1", "WasmPlugin shop/hfi", "istioctl"], silence_waypoints);
    // The plugin names a cluster itself: whatever it is, it is not for want of one of Istio's.
    error(["Pod shop/waypoint-1", "WasmPlugin shop/hfi", "istioctl"], |o| {
        silence_waypoints(o);
        o.istio.providers.clear();
        o.plugins[1].spec.plugin_config.cluster = Some("hfi".into());
    });
    // The cause is told once.
    error(["waypoint shop/waypoint", "no cluster", "extensionProviders"], |o| {
        silence_waypoints(o);
        o.istio.providers.clear();
    });
}

#[test]
fn one_replica_that_hears_a_proxy_is_enough() {
    let mut observed = healthy();
    observed.replicas[1].answer.as_mut().unwrap().filters.clear();
    observed.replicas[0].answer.as_mut().unwrap().filters.push(filter("cart-1.demo", "gone"));
    assert_eq!(findings(&observed), []);
}
