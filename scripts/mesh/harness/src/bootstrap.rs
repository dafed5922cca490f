//! Envoy's configuration for a sidecar, as Istio would build it.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::envoy_options::{access_log, fault_filter, http2};
use crate::loopback::loopback;
use crate::service::control_plane;
use crate::sidecar::Sidecar;
use crate::topology::listeners;

/// The cluster of the workload itself.
const WORKLOAD_CLUSTER: &str = "inbound|8080||";
/// The listener for what the workload calls.
pub(crate) const OUTBOUND: &str = "0.0.0.0_8080";

/// The configuration of a proxy, with the filter module at `module`.
pub(crate) fn bootstrap(sidecar: &Sidecar, module: &Path) -> Value {
    let mut clusters = vec![workload(sidecar)];
    clusters.extend(control_plane(&sidecar.control_plane));
    json!({
        "node": {
            "id": sidecar.node_id(),
            "cluster": format!("{}.demo", sidecar.service),
            "metadata": sidecar.metadata,
        },
        "admin": {"address": socket(loopback())},
        "static_resources": {"listeners": listeners(sidecar, module), "clusters": clusters},
        // Istio's own tag for stats that filters define, which makes it a label in Prometheus.
        "stats_config": {"stats_tags": [{"tag_name": "tag", "regex": "(tag\\.(.+?);\\.)"}]},
        // Histograms then say all that they have counted whenever they are asked.
        "stats_flush_on_admin": true,
    })
}

/// The one listener of a plain sidecar.
pub(crate) fn listener(sidecar: &Sidecar, module: &Path) -> Value {
    let plugin = sidecar.plugin.as_ref().map(|plugin| wasm_filter(sidecar, plugin, module));
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": proto("envoy.extensions.filters.http.router.v3.Router")},
    });
    let filters: Vec<Value> = plugin.into_iter().chain(fault_filter(sidecar)).chain([router]).collect();
    let manager = json!({
        "@type": proto(
            "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
        ),
        "stat_prefix": "inbound_0.0.0.0_8080",
        "route_config": {
            "name": WORKLOAD_CLUSTER,
            "virtual_hosts": [{
                "name": "inbound|http|8080",
                "domains": ["*"],
                "routes": [route(sidecar)],
            }],
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
        json!({"name": "default", "match": all, "direct_response": {"status": 200}})
    } else {
        json!({"name": "default", "match": all, "route": {"cluster": WORKLOAD_CLUSTER, "timeout": "0s"}})
    }
}

fn wasm_filter(sidecar: &Sidecar, plugin: &Map<String, Value>, module: &Path) -> Value {
    json!({
        "name": sidecar.plugin_name,
        "typed_config": {
            "@type": proto("envoy.extensions.filters.http.wasm.v3.Wasm"),
            "config": {
                "name": sidecar.plugin_name,
                "root_id": "boifi.hfi",
                "failure_policy": sidecar.failure_policy(),
                "vm_config": {
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": module}},
                },
                "configuration": {
                    "@type": proto("google.protobuf.StringValue"),
                    "value": Value::from(plugin.clone()).to_string(),
                },
            },
        },
    })
}

/// The cluster of the workload.
fn workload(sidecar: &Sidecar) -> Value {
    let mut cluster = cluster(WORKLOAD_CLUSTER, &[sidecar.workload]);
    if let Some(cluster) = cluster.as_object_mut().filter(|_| sidecar.options.speaks_http2) {
        cluster.insert("typed_extension_protocol_options".to_owned(), http2());
    }
    cluster
}

pub(crate) fn cluster(name: &str, addresses: &[SocketAddr]) -> Value {
    let endpoint = |address: &SocketAddr| json!({"endpoint": {"address": socket(*address)}});
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "10s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": addresses.iter().map(endpoint).collect::<Vec<_>>()}],
        },
    })
}

pub(crate) fn socket(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip(), "port_value": address.port()}})
}

pub(crate) fn proto(name: &str) -> String {
    format!("type.googleapis.com/{name}")
}
