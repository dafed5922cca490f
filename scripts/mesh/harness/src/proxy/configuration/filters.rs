//! The HTTP filters of a listener, and its access log.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::type_url;
use crate::proxy::sidecar::Sidecar;

/// The filters of hfi: one for each plugin, with the module and the configuration.
pub(crate) fn wasm_filters(sidecar: &Sidecar, module: &Path) -> Vec<Value> {
    let Some(plugin) = &sidecar.plugin else { return Vec::new() };
    let further = sidecar.options.further_plugins.iter();
    let further = further.map(|(name, its_module)| (*name, its_module.as_deref().unwrap_or(module)));
    let all = [(sidecar.plugin_name, module)].into_iter().chain(further);
    all.map(|(name, module)| wasm_filter(sidecar, name, plugin, module)).collect()
}

fn wasm_filter(sidecar: &Sidecar, name: &str, plugin: &Map<String, Value>, module: &Path) -> Value {
    json!({
        "name": name,
        "typed_config": {
            "@type": type_url("envoy.extensions.filters.http.wasm.v3.Wasm"),
            "config": {
                "name": name,
                "root_id": "boifi.hfi",
                "failure_policy": sidecar.failure_policy(),
                "vm_config": {
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": module}},
                },
                "configuration": {
                    "@type": type_url("google.protobuf.StringValue"),
                    "value": Value::from(plugin.clone()).to_string(),
                },
            },
        },
    })
}

/// Envoy's own fault filter, if it is to have that.
pub(crate) fn fault_filter(sidecar: &Sidecar) -> Option<Value> {
    let (name, value) = sidecar.options.faulted_header.as_ref()?;
    Some(json!({
        "name": "envoy.filters.http.fault",
        "typed_config": {
            "@type": type_url("envoy.extensions.filters.http.fault.v3.HTTPFault"),
            "abort": {"http_status": 503, "percentage": {"numerator": 100}},
            "headers": [{"name": name, "string_match": {"exact": value}}],
        },
    }))
}

/// One line for each request: what became of it, when it began (in seconds since 1970), how many microseconds
/// after its first byte the answer began, and what the filter says of it.
pub(crate) fn access_log(file: &Path) -> Value {
    const FORMAT: &str = "%REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %START_TIME(%s.%6f)% \
        %COMMON_DURATION(DS_RX_BEG:DS_TX_BEG:us)% %FILTER_STATE(wasm.hfi:PLAIN)%\n";
    json!({
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": type_url("envoy.extensions.access_loggers.file.v3.FileAccessLog"),
            "path": file,
            "log_format": {"text_format_source": {"inline_string": FORMAT}},
        },
    })
}
