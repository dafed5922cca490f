//! The listeners of a proxy, of which some have more than a plain sidecar's.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use serde_json::{Value, json};

use super::clusters::WORKLOAD_CLUSTER;
use super::filters::{access_log, fault_filter, wasm_filters};
use super::{socket, type_url};
use crate::proxy::sidecar::{Kind, Route, Sidecar};
use crate::system::loopback;

/// The listener for what the workload calls.
pub(crate) const OUTBOUND: &str = "0.0.0.0_8080";

/// Every listener of a proxy, the one that most requests are for first.
pub(crate) fn all(sidecar: &Sidecar, module: &Path) -> Vec<Value> {
    let mut listeners = match &sidecar.kind {
        Kind::Waypoint(chains) => vec![waypoint(&listener(sidecar, module), chains)],
        Kind::Sidecar | Kind::Gateway => vec![listener(sidecar, module)],
    };
    if sidecar.has_both_listeners {
        let other = Sidecar { plugin_name: "boifi.hfi-outbound", ..sidecar.clone().outbound() };
        listeners.push(listener(&other, module));
    }
    listeners
}

/// The one listener of a plain sidecar.
fn listener(sidecar: &Sidecar, module: &Path) -> Value {
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": type_url("envoy.extensions.filters.http.router.v3.Router")},
    });
    let plugins = wasm_filters(sidecar, module).into_iter();
    let filters: Vec<Value> = plugins.chain(fault_filter(sidecar)).chain([router]).collect();
    let others = json!({"name": "inbound|http|8080", "domains": ["*"], "routes": [route(sidecar)]});
    let hosts = sidecar.options.routes.iter().map(virtual_host).chain([others]);
    let manager = json!({
        "@type": type_url(
            "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
        ),
        "stat_prefix": "inbound_0.0.0.0_8080",
        "route_config": {
            "name": WORKLOAD_CLUSTER,
            "virtual_hosts": hosts.collect::<Vec<_>>(),
            "ignore_port_in_host_matching": true,
            "validate_clusters": false,
        },
        "http_filters": filters,
        // Inside a mesh Istio sets no limit to how long a request may rest.
        "stream_idle_timeout": "0s",
        "access_log": sidecar.options.access_log.iter().map(|file| access_log(file)).collect::<Vec<_>>(),
    });
    let (name, direction) =
        if sidecar.is_outbound { (OUTBOUND, "OUTBOUND") } else { ("virtualInbound", "INBOUND") };
    json!({
        "name": name,
        "traffic_direction": direction,
        "address": socket(loopback()),
        "filter_chains": [{
            "name": "0.0.0.0_8080",
            "filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": manager,
            }],
        }],
    })
}

fn route(sidecar: &Sidecar) -> Value {
    let all = json!({"prefix": "/"});
    if sidecar.answers_itself {
        return json!({"name": "default", "match": all, "direct_response": {"status": 200}});
    }
    let mut action = json!({"cluster": WORKLOAD_CLUSTER, "timeout": "0s"});
    let redirects = sidecar.options.followed_redirects;
    if let Some(action) = action.as_object_mut().filter(|_| redirects > 0) {
        action.insert("internal_redirect_policy".to_owned(), json!({"max_internal_redirects": redirects}));
    }
    json!({"name": "default", "match": all, "route": action})
}

/// The virtual host of a route.
fn virtual_host(Route { authority, clusters, rewritten }: &Route) -> Value {
    let weighted = |(name, weight): &(String, u32)| json!({"name": name, "weight": weight});
    let mut route = match clusters.as_slice() {
        [(cluster, _)] => json!({"cluster": cluster}),
        several => {
            json!({"weighted_clusters": {"clusters": several.iter().map(weighted).collect::<Vec<_>>()}})
        }
    };
    if let (Some(route), Some(rewritten)) = (route.as_object_mut(), rewritten) {
        route.insert("host_rewrite_literal".to_owned(), rewritten.as_str().into());
    }
    json!({
        "name": authority,
        "domains": [authority],
        "routes": [{"name": "default", "match": {"prefix": "/"}, "route": route}],
    })
}

/// The address of a waypoint's filter chain of this number.
pub(crate) fn chain_address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, number)
}

/// A listener with a filter chain for each service, chosen by the address that a request is for.
fn waypoint(listener: &Value, chains: &[String]) -> Value {
    let filters = listener.pointer("/filter_chains/0/filters");
    let chain = |(number, name)| {
        let range = json!({"address_prefix": chain_address(number), "prefix_len": 32});
        json!({"name": name, "filter_chain_match": {"prefix_ranges": [range]}, "filters": filters})
    };
    json!({
        "name": listener.get("name"),
        "traffic_direction": listener.get("traffic_direction"),
        "address": socket(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))),
        "filter_chains": (0..=u8::MAX).zip(chains).map(chain).collect::<Vec<_>>(),
    })
}
