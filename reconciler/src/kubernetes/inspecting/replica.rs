//! Asks a pod of the control plane, by way of the API server.

use std::fmt::Display;

use k8s_openapi::api::core::v1::Pod;
use kube::{Client, ResourceExt as _};
use serde::de::DeserializeOwned;

use super::running_proxy::PROXY;
use crate::api::{filters::Filters, status::Status};
use crate::doctor::inventory::{Answer, Plugin, Replica};
use crate::kubernetes::client::call::{self, CallError, with_timeout};

/// The port of a pod whose containers name none.
const PORT: i32 = 8080;

/// Its status, its filters, and the modules that it hands out of those that plugins name.
pub(crate) async fn ask(client: &Client, namespace: &str, pod: &Pod, plugins: &[Plugin]) -> Replica {
    let name = pod.name_any();
    let port = port(pod);
    let pod = At { client, path: format!("/api/v1/namespaces/{namespace}/pods/{name}:{port}/proxy") };
    Replica { pod: name, answer: answer(&pod, plugins).await.map_err(|error| error.to_string()) }
}

/// The first port that is not a sidecar's: an injected one can be the first container.
fn port(pod: &Pod) -> i32 {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let own = containers.filter(|container| container.name != PROXY);
    let mut ports = own.flat_map(|container| container.ports.iter().flatten());
    ports.next().map_or(PORT, |port| port.container_port)
}

async fn answer(pod: &At<'_>, plugins: &[Plugin]) -> Result<Answer, CallError> {
    let status: Status = pod.get("/v1/policies/status").await?;
    let Filters { filters, .. } = pod.get("/v1/filters?own=true").await?;
    let mut digests: Vec<_> = plugins.iter().map(|plugin| plugin.spec.sha256.clone()).collect();
    digests.sort_unstable();
    digests.dedup();
    let mut modules = Vec::new();
    for digest in digests.into_iter().filter(|digest| !digest.is_empty()) {
        if pod.has(format_args!("/filter/{digest}.wasm")).await? {
            modules.push(digest);
        }
    }
    Ok(Answer { status, filters, modules })
}

struct At<'a> {
    client: &'a Client,
    path: String,
}

impl At<'_> {
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CallError> {
        with_timeout(call::TIMEOUT, async { self.client.request(self.request("GET", path)?).await }).await
    }

    async fn has(&self, path: impl Display) -> Result<bool, CallError> {
        let answer = async { self.client.send(self.request("HEAD", path)?.map(Into::into)).await };
        Ok(with_timeout(call::TIMEOUT, answer).await?.status().is_success())
    }

    fn request(&self, method: &str, path: impl Display) -> kube::Result<http::Request<Vec<u8>>> {
        let request = http::Request::builder().method(method).uri(format!("{}{path}", self.path));
        request.body(Vec::new()).map_err(kube::Error::HttpError)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::port;

    #[test]
    fn a_replica_is_not_asked_at_the_port_of_its_sidecar() {
        let container = |name: &str, port: u16| json!({"name": name, "ports": [{"containerPort": port}]});
        for (containers, expected) in [
            (json!([container("istio-proxy", 15090), container("hfi", 8443)]), 8443),
            (json!([container("hfi", 8443), container("istio-proxy", 15090)]), 8443),
            (json!([{"name": "hfi"}]), 8080),
        ] {
            let pod = json!({"spec": {"containers": containers}});
            assert_eq!(port(&serde_json::from_value(pod).unwrap()), expected);
        }
    }
}
