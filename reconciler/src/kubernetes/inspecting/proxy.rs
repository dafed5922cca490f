//! Asks a proxy, by way of the API server, what it runs.

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, api::LogParams};

use super::{extensions, running_proxy::PROXY};
use crate::{
    doctor::inventory::{Extension, Name, Runs},
    kubernetes::client::call::{self, with_timeout},
};

/// The port at which Istio's agent shows the metrics of its Envoy, and its own.
const METRICS: &str = "15020/proxy/stats/prometheus";
/// The number of Wasm VMs that an Envoy runs.
const ACTIVE: &str = "envoy_wasm_envoy_wasm_runtime_v8_active";
/// The lines of a proxy's log that are read.
const LOG_LINES: i64 = 1_000;

/// What a proxy says of itself, as far as it can be asked.
pub(super) struct Said {
    /// The filters that it has for plugins.
    pub(super) extensions: Option<Vec<Extension>>,
    /// The number of Wasm VMs that it runs. A filter that allows everything, in the place of ours, is none.
    pub(super) modules: Option<u64>,
    /// The newest line of its log with an error about a Wasm module.
    pub(super) complaint: Option<String>,
}

/// Asks for its filters, and for more if it is suspect or has lost one.
pub(super) async fn ask(client: &Client, name: &Name, is_suspect: bool) -> Said {
    let extensions = extensions::ask(client, name);
    let extensions = tokio::time::timeout(call::TIMEOUT, extensions).await.ok().flatten();
    let has_lost = extensions.iter().flatten().any(|extension| extension.runs == Runs::Nothing);
    if !is_suspect && !has_lost {
        return Said { extensions, modules: None, complaint: None };
    }
    let (modules, complaint) = tokio::join!(modules(client, name), complaint(client, name));
    Said { extensions, modules, complaint }
}

async fn modules(client: &Client, Name { namespace, name }: &Name) -> Option<u64> {
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}:{METRICS}");
    let request = http::Request::get(path).body(Vec::new()).ok()?;
    active(&with_timeout(call::TIMEOUT, client.request_text(request)).await.ok()?)
}

/// The sum over the lines of the metric; `None` if there is none.
fn active(metrics: &str) -> Option<u64> {
    let of_line = |line: &str| {
        let rest = line.strip_prefix(ACTIVE).filter(|rest| rest.starts_with([' ', '{']))?;
        rest.rsplit(' ').next()?.parse::<f64>().ok().map(|value| value as u64)
    };
    metrics.lines().filter_map(of_line).reduce(|a, b| a.saturating_add(b))
}

async fn complaint(client: &Client, name: &Name) -> Option<String> {
    let parameters =
        LogParams { container: Some(PROXY.into()), tail_lines: Some(LOG_LINES), ..LogParams::default() };
    let pods = Api::<Pod>::namespaced(client.clone(), &name.namespace);
    let log = with_timeout(call::TIMEOUT, pods.logs(&name.name, &parameters)).await.ok()?;
    let complains = |line: &&str| {
        let line = line.to_lowercase();
        line.contains("wasm") && ["error", "fail", "critical", "warn"].iter().any(|word| line.contains(word))
    };
    Some(log.lines().rev().find(complains)?.chars().take(300).collect())
}

#[cfg(test)]
mod tests {
    use super::active;

    #[test]
    fn the_number_of_modules_is_read_from_the_metrics_of_the_agent() {
        let metrics = "# TYPE envoy_wasm_envoy_wasm_runtime_v8_active gauge\n\
                       envoy_wasm_envoy_wasm_runtime_v8_active{} 3\n\
                       envoy_wasm_envoy_wasm_runtime_v8_active_more 9\n";
        assert_eq!(active(metrics), Some(3));
        assert_eq!(active("envoy_wasm_envoy_wasm_runtime_v8_active 0\n"), Some(0));
        for unknown in ["", "envoy_server_live{} 1\n", "envoy_wasm_envoy_wasm_runtime_v8_active{} x\n"] {
            assert_eq!(active(unknown), None, "{unknown}");
        }
    }
}
