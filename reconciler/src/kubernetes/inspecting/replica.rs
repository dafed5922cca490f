//! Asks a pod of the control plane: by way of the API server, which passes no token on, and by port-forward if the pod
//! asks for one.

use http::Method;
use k8s_openapi::api::core::v1::Pod;
use kube::{Client, ResourceExt as _};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{
    forwarded::{self, Asked},
    running_proxy::PROXY,
};
use crate::{
    api::{filters::Filters, problem::Problem, status::Status},
    client::Token,
    doctor::inventory::{Answer, Name, Plugin, Replica, Silence},
    kubernetes::client::call::{self, CallError, with_timeout},
};

/// The port of a pod whose containers name none.
const PORT: u16 = 8080;

/// Its status, its filters, and the modules that it hands out of those that plugins name.
pub(crate) async fn ask(
    client: &Client,
    namespace: &str,
    pod: &Pod,
    plugins: &[Plugin],
    token: Option<&Token>,
) -> Replica {
    let name = Name { namespace: namespace.to_owned(), name: pod.name_any() };
    let port = port(pod);
    let pod = name.name.clone();
    let open = At { client, name: &name, port, token: None };
    let answer = match (answer(&open, plugins).await, token) {
        (Err(Silence::Closed), token @ Some(_)) => answer(&At { token, ..open }, plugins).await,
        (answer, _) => answer,
    };
    Replica { pod, answer }
}

/// The first port that is not a sidecar's: an injected one can be the first container.
fn port(pod: &Pod) -> u16 {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let own = containers.filter(|container| container.name != PROXY);
    let mut ports = own.flat_map(|container| container.ports.iter().flatten());
    ports.next().and_then(|port| port.container_port.try_into().ok()).unwrap_or(PORT)
}

async fn answer(pod: &At<'_>, plugins: &[Plugin]) -> Result<Answer, Silence> {
    let status: Status = pod.get("/v1/policies/status").await?;
    let Filters { filters, .. } = pod.get("/v1/filters?own=true").await?;
    let mut digests: Vec<_> = plugins.iter().map(|plugin| plugin.spec.sha256.clone()).collect();
    digests.sort_unstable();
    digests.dedup();
    let mut modules = Vec::new();
    for digest in digests.into_iter().filter(|digest| !digest.is_empty()) {
        if pod.has(&format!("/filter/{digest}.wasm")).await? {
            modules.push(digest);
        }
    }
    Ok(Answer { status, filters, modules })
}

#[derive(Clone, Copy)]
struct At<'a> {
    client: &'a Client,
    name: &'a Name,
    port: u16,
    token: Option<&'a Token>,
}

impl At<'_> {
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Silence> {
        let Some(token) = self.token else {
            let call = async { self.client.request(self.request(Method::GET, path)?).await };
            return with_timeout(call::TIMEOUT, call).await.map_err(silence);
        };
        match self.forwarded(Method::GET, path, token).await? {
            (200, body) => serde_json::from_slice(&body).map_err(|error| Silence::Other(error.to_string())),
            (status, body) => {
                let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
                let reason = format!("it answers {status}: {}", problem.detail);
                Err(if matches!(status, 401 | 403) {
                    Silence::Refused(reason)
                } else {
                    Silence::Other(reason)
                })
            }
        }
    }

    async fn has(&self, path: &str) -> Result<bool, Silence> {
        if let Some(token) = self.token {
            return Ok(self.forwarded(Method::HEAD, path, token).await?.0 == 200);
        }
        let call = async { self.client.send(self.request(Method::HEAD, path)?.map(Into::into)).await };
        Ok(with_timeout(call::TIMEOUT, call).await.map_err(silence)?.status().is_success())
    }

    fn request(&self, method: Method, path: &str) -> kube::Result<http::Request<Vec<u8>>> {
        let Name { namespace, name } = self.name;
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}:{}/proxy{path}", self.port);
        http::Request::builder().method(method).uri(path).body(Vec::new()).map_err(kube::Error::HttpError)
    }

    async fn forwarded(
        &self,
        method: Method,
        path: &str,
        token: &Token,
    ) -> Result<(u16, bytes::Bytes), Silence> {
        let asked = Asked { port: self.port, method, path, authorization: Some(token.bearer()) };
        let answer = timeout(call::TIMEOUT, forwarded::ask(self.client, self.name, asked)).await;
        let late = || format!("no answer within {} s", call::TIMEOUT.as_secs());
        answer.unwrap_or_else(|_| Err(late())).map_err(Silence::Other)
    }
}

fn silence(error: CallError) -> Silence {
    if error.is(401) { Silence::Closed } else { Silence::Other(error.to_string()) }
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
