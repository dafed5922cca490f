//! Envoy's configuration for a sidecar, as Istio would build it.

mod clusters;
mod filters;
mod listeners;
mod tunnel;

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

pub(crate) use self::listeners::{OUTBOUND, chain_address};
pub(crate) use self::tunnel::entrance_name;
use super::sidecar::Sidecar;
use crate::system::loopback;

/// Writes the files that an Envoy reads.
pub(crate) fn configure(sidecar: &Sidecar, folder: &Path) -> Result<()> {
    let mut bootstrap = bootstrap(sidecar, &sidecar.module_file()?, folder);
    if let Some(bootstrap) = bootstrap.as_object_mut().filter(|_| sidecar.is_reconfigurable) {
        let (new, file) = (folder.join(".listeners.json"), folder.join("listeners.json"));
        std::fs::write(&new, discovered(bootstrap, &file).to_string())?;
        // Envoy looks only at files that are moved into place.
        std::fs::rename(new, file)?;
    }
    Ok(std::fs::write(folder.join("envoy.json"), bootstrap.to_string())?)
}

/// The configuration of a proxy, with the filter module at `module` and its certificates in `folder`.
fn bootstrap(sidecar: &Sidecar, module: &Path, folder: &Path) -> Value {
    let mut clusters = vec![clusters::workload(sidecar)];
    clusters.extend(clusters::routed(sidecar));
    clusters.extend(clusters::control_plane(&sidecar.control_plane));
    let (mut listeners, mut extensions) = (listeners::all(sidecar, module), Vec::new());
    let callers = &sidecar.options.callers;
    if !callers.is_empty() {
        listeners =
            listeners.into_iter().flat_map(|waypoint| tunnel::listeners(waypoint, callers, folder)).collect();
        clusters.extend(tunnel::clusters(callers, folder));
        extensions.push(tunnel::bootstrap_extension());
    }
    json!({
        "node": {
            "id": sidecar.node_id(),
            "cluster": format!("{}.demo", sidecar.service),
            "metadata": sidecar.metadata,
        },
        "admin": {"address": socket(loopback())},
        "bootstrap_extensions": extensions,
        "static_resources": {"listeners": listeners, "clusters": clusters},
        // Istio's own tag for stats that filters define, which makes it a label in Prometheus.
        "stats_config": {"stats_tags": [{"tag_name": "tag", "regex": "(tag\\.(.+?);\\.)"}]},
        // Histograms then say all that they have counted whenever they are asked.
        "stats_flush_on_admin": true,
    })
}

/// Makes a proxy read its listeners from a file: what is to be in that file.
fn discovered(bootstrap: &mut Map<String, Value>, file: &Path) -> Value {
    let fixed = bootstrap.get_mut("static_resources").and_then(Value::as_object_mut);
    let mut listeners = fixed.and_then(|fixed| fixed.remove("listeners")).unwrap_or_default();
    for listener in listeners.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        listener.insert("@type".into(), type_url("envoy.config.listener.v3.Listener").into());
    }
    let source = json!({"resource_api_version": "V3", "path_config_source": {"path": file}});
    bootstrap.insert("dynamic_resources".into(), json!({"lds_config": source}));
    json!({"resources": listeners})
}

fn socket(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip(), "port_value": address.port()}})
}

/// The type URL of a protobuf message, for its `@type`.
fn type_url(message: &str) -> String {
    format!("type.googleapis.com/{message}")
}
