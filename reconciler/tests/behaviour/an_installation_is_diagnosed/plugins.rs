//! Of what plugins say.

use reconciler::doctor::{findings, inventory::Inventory};
use serde_json::{Value, json};

use super::{error, healthy, plugin, warning};

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
