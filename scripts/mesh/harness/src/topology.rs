//! The listeners of a proxy: some have more than a plain sidecar's, or read them from a file.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::bootstrap::{bootstrap, listener, proto, socket};
use crate::sidecar::{Kind, Sidecar};

/// Writes the files that an Envoy reads.
pub(crate) fn configure(sidecar: &Sidecar, folder: &Path) -> Result<()> {
    let mut bootstrap = bootstrap(sidecar, &sidecar.module_file()?);
    if let Some(bootstrap) = bootstrap.as_object_mut().filter(|_| sidecar.is_reconfigurable) {
        let (new, file) = (folder.join(".listeners.json"), folder.join("listeners.json"));
        std::fs::write(&new, discovered(bootstrap, &file).to_string())?;
        // Envoy looks only at files that are moved into place.
        std::fs::rename(new, file)?;
    }
    Ok(std::fs::write(folder.join("envoy.json"), bootstrap.to_string())?)
}

/// Every listener of a proxy, the one that most requests are for first.
pub(crate) fn listeners(sidecar: &Sidecar, module: &Path) -> Vec<Value> {
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

/// Makes a proxy read its listeners from a file: what is to be in that file.
fn discovered(bootstrap: &mut Map<String, Value>, file: &Path) -> Value {
    let fixed = bootstrap.get_mut("static_resources").and_then(Value::as_object_mut);
    let mut listeners = fixed.and_then(|fixed| fixed.remove("listeners")).unwrap_or_default();
    for listener in listeners.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        listener.insert("@type".into(), proto("envoy.config.listener.v3.Listener").into());
    }
    let source = json!({"resource_api_version": "V3", "path_config_source": {"path": file}});
    bootstrap.insert("dynamic_resources".into(), json!({"lds_config": source}));
    json!({"resources": listeners})
}

/// Where a waypoint's filter chain of this number takes requests.
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
