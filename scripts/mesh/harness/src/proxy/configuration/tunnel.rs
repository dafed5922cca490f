//! The way into a waypoint, as Istio builds it: a listener ends the tunnels (mutual TLS and HTTP CONNECT, which is
//! HBONE), records who has opened each, and passes what comes out of it to an internal listener with the filters.
//!
//! Callers have listeners of their own in the same proxy, which do what a ztunnel does for them.

use std::path::Path;

use serde_json::{Value, json};

use super::clusters::http2;
use super::listeners::chain_address;
use super::{socket, type_url};
use crate::proxy::sidecar::Caller;
use crate::system::loopback;

/// The name of the internal listener, and of the cluster that leads to it.
const INTERNAL: &str = "main_internal";

/// Puts tunnels in front of a waypoint's listener, and one listener for each caller and filter chain.
pub(crate) fn listeners(waypoint: Value, callers: &[Caller], folder: &Path) -> Vec<Value> {
    let chains = waypoint.get("filter_chains").and_then(Value::as_array).map_or(0, Vec::len);
    let mut listeners = Vec::new();
    for (chain, _) in (0..=u8::MAX).zip(0..chains) {
        listeners.extend(callers.iter().map(|caller| entrance(caller, chain)));
    }
    listeners.extend([terminate(folder), internal(waypoint)]);
    listeners
}

/// The clusters behind these listeners.
pub(crate) fn clusters(callers: &[Caller], folder: &Path) -> Vec<Value> {
    let internal = json!({"envoy_internal_address": {"server_listener_name": INTERNAL}});
    // It shares the filter state of the tunnel with the internal listener.
    let shared = json!({
        "name": "envoy.transport_sockets.internal_upstream",
        "typed_config": {
            "@type": type_url(
                "envoy.extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport"
            ),
            "transport_socket": {
                "name": "envoy.transport_sockets.raw_buffer",
                "typed_config": {
                    "@type": type_url("envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer")
                },
            },
        },
    });
    let mut clusters = vec![cluster(INTERNAL, &internal, &shared)];
    for caller in callers {
        let tls = tls("UpstreamTlsContext", &caller.name, folder);
        let mut cluster = cluster(&tunnel(caller), &json!({"pipe": {"path": end(folder)}}), &tls);
        cluster.as_object_mut().map(|cluster| cluster.insert(PROTOCOL.into(), http2()));
        clusters.push(cluster);
    }
    clusters
}

/// The extension without which there are no internal listeners.
pub(crate) fn bootstrap_extension() -> Value {
    json!({
        "name": "envoy.bootstrap.internal_listener",
        "typed_config": {"@type": type_url("envoy.extensions.bootstrap.internal_listener.v3.InternalListener")},
    })
}

/// The name of the listener for requests of a caller to a filter chain.
pub(crate) fn entrance_name(caller: &str, chain: u8) -> String {
    format!("{caller}|{chain}")
}

const PROTOCOL: &str = "typed_extension_protocol_options";

fn tunnel(caller: &Caller) -> String {
    format!("tunnel|{}", caller.name)
}

/// The socket at which the tunnels end. It has no port that another proxy could take.
fn end(folder: &Path) -> Value {
    folder.join("tunnel.sock").to_string_lossy().into_owned().into()
}

fn cluster(name: &str, address: &Value, transport: &Value) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "transport_socket": transport,
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    })
}

fn entrance(caller: &Caller, chain: u8) -> Value {
    let proxy = json!({
        "@type": type_url("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"),
        "stat_prefix": "tunnel",
        "cluster": tunnel(caller),
        "tunneling_config": {"hostname": format!("{}:80", chain_address(chain))},
    });
    json!({
        "name": entrance_name(&caller.name, chain),
        "address": socket(loopback()),
        "filter_chains": [{"filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}]}],
    })
}

fn terminate(folder: &Path) -> Value {
    let recorded = |key: &str, factory: &str, value: &str| {
        json!({
            "object_key": key,
            "factory_key": factory,
            "format_string": {"text_format_source": {"inline_string": value}},
            "shared_with_upstream": "ONCE",
        })
    };
    let original = "envoy.filters.listener.original_dst.local_ip";
    let state = json!({
        "@type": type_url("envoy.extensions.filters.http.set_filter_state.v3.Config"),
        "on_request_headers": [
            recorded(original, original, "%REQ(:AUTHORITY)%"),
            // Istio's own Envoy has `istio.hashable_string` for the second.
            recorded("io.istio.peer_principal", "envoy.string", "%DOWNSTREAM_PEER_URI_SAN%"),
        ],
    });
    let connect = json!({
        "match": {"connect_matcher": {}},
        "route": {
            "cluster": INTERNAL,
            "upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}],
        },
    });
    let manager = json!({
        "@type": type_url(
            "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
        ),
        "stat_prefix": "connect_terminate",
        "route_config": {"virtual_hosts": [{"name": "default", "domains": ["*"], "routes": [connect]}]},
        "stream_idle_timeout": "0s",
        "upgrade_configs": [{"upgrade_type": "CONNECT"}],
        "http2_protocol_options": {"allow_connect": true},
        "http_filters": [
            {"name": "connect_authority", "typed_config": state},
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": type_url("envoy.extensions.filters.http.router.v3.Router")},
            },
        ],
    });
    json!({
        "name": "connect_terminate",
        "address": {"pipe": {"path": end(folder)}},
        "filter_chains": [{
            "transport_socket": tls("DownstreamTlsContext", "server", folder),
            "filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": manager,
            }],
        }],
    })
}

/// The waypoint's listener, reached from within this proxy alone.
fn internal(mut waypoint: Value) -> Value {
    if let Some(listener) = waypoint.as_object_mut() {
        listener.remove("address");
        listener.insert("name".into(), INTERNAL.into());
        listener.insert("internal_listener".into(), json!({}));
        // It takes the destination from the filter state.
        let original = json!({
            "name": "envoy.filters.listener.original_dst",
            "typed_config": {
                "@type": type_url("envoy.extensions.filters.listener.original_dst.v3.OriginalDst")
            },
        });
        listener.insert("listener_filters".into(), json!([original]));
    }
    waypoint
}

/// Mutual TLS with the certificate of this name; both sides trust one authority.
fn tls(context: &str, name: &str, folder: &Path) -> Value {
    let file = |name: String| json!({"filename": folder.join(name)});
    let mut config = json!({
        "@type": type_url(&format!("envoy.extensions.transport_sockets.tls.v3.{context}")),
        "common_tls_context": {
            "alpn_protocols": ["h2"],
            "tls_certificates": [{
                "certificate_chain": file(format!("{name}.pem")),
                "private_key": file(format!("{name}.key")),
            }],
            "validation_context": {"trusted_ca": file("ca.pem".into())},
        },
    });
    if let Some(config) = config.as_object_mut().filter(|_| context == "DownstreamTlsContext") {
        config.insert("require_client_certificate".into(), true.into());
    }
    json!({"name": "envoy.transport_sockets.tls", "typed_config": config})
}
