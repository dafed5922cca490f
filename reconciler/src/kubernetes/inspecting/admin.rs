//! Envoy's administration, which listens inside of a pod only: a port-forward leads there.

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client};

use crate::{doctor::inventory::Name, kubernetes::client::port_forward::PortForward};

const PORT: u16 = 15000;
/// More than an answer has that the doctor asks for.
const LONGEST: usize = 16 * 1024 * 1024;

/// The status and the body of an answer; none if the proxy cannot be reached.
pub(super) async fn get(client: &Client, name: &Name, path: &str) -> Option<(u16, bytes::Bytes)> {
    let pods = Api::<Pod>::namespaced(client.clone(), &name.namespace);
    let mut forwarded = PortForward::open(&pods, &name.name, PORT).await.ok()?;
    let stream = TokioIo::new(forwarded.stream()?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.ok()?;
    let asked = async {
        let request = http::Request::get(path).header("host", "localhost");
        let answer = sender.send_request(request.body(Empty::<bytes::Bytes>::new()).ok()?).await.ok()?;
        let status = answer.status().as_u16();
        Some((status, Limited::new(answer.into_body(), LONGEST).collect().await.ok()?.to_bytes()))
    };
    tokio::select! {
        answer = asked => answer,
        // It goes on until it is dropped.
        _ = connection => None,
    }
}
