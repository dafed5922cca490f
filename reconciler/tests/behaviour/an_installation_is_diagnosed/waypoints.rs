//! Of what receives requests for pods in the ambient mesh.

use reconciler::doctor::{
    findings,
    inventory::{Inventory, OptsOut, Pod, Service},
};
use serde_json::json;

use super::{error, filter, healthy, name, plugin, pod, warning, waypoint_pod};

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
            o.services.push(Service { name: name("till", "pay"), labels, selector, ports: Vec::new() });
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
        o.services.push(Service {
            name: name("shop", "pay"),
            labels,
            selector: [].into(),
            ports: Vec::new(),
        });
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
