//! WasmPlugins of Istio, which give proxies the module.

use serde_json::{Value, json};

/// The address of hfi that the manifests name.
pub const HFI_ADDRESS: &str = "hfi-control-plane.boifi.svc.cluster.local:8080";

/// A plugin with this spec.
pub fn wasm_plugin(name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "extensions.istio.io/v1alpha1",
        "kind": "WasmPlugin",
        "metadata": {"name": name},
        "spec": spec,
    })
}

/// The part of a spec that names a module, by its SHA-256 in hexadecimal, as hfi serves it at an address.
pub fn module_at(address: &str, digest: &str) -> Value {
    json!({"url": format!("http://{address}/filter/{digest}.wasm"), "sha256": digest})
}
