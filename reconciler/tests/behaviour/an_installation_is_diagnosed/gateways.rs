//! Of gateways.

use reconciler::doctor::inventory::{Inventory, Pod, ProxyKind};
use serde_json::json;

use super::{error, filter, name, plugin, pod, warning, waypoint_pod};

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
