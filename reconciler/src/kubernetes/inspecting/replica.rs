//! Asks a pod of the control plane, by way of the API server.

use std::fmt::Display;

use k8s_openapi::api::core::v1::Pod;
use kube::{Client, ResourceExt as _};
use serde::de::DeserializeOwned;

use crate::api::{filters::Filters, status::Status};
use crate::doctor::inventory::{Answer, Plugin, Replica};
use crate::kubernetes::client::call::{self, CallError, with_timeout};

/// The port of a pod whose containers name none.
const PORT: i32 = 8080;

/// Its status, its filters, and the modules that it hands out of those that plugins name.
pub(crate) async fn ask(client: &Client, namespace: &str, pod: &Pod, plugins: &[Plugin]) -> Replica {
    let name = pod.name_any();
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
    let port = ports.next().map_or(PORT, |port| port.container_port);
    let pod = At { client, path: format!("/api/v1/namespaces/{namespace}/pods/{name}:{port}/proxy") };
    Replica { pod: name, answer: answer(&pod, plugins).await.map_err(|error| error.to_string()) }
}

async fn answer(pod: &At<'_>, plugins: &[Plugin]) -> Result<Answer, CallError> {
    let status: Status = pod.get("/v1/policies/status").await?;
    let Filters { filters, .. } = pod.get("/v1/filters").await?;
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
