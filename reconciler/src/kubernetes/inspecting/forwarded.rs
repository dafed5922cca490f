//! Requests to a port inside of a pod, to which a port-forward leads.

use http::{HeaderValue, Method, header::AUTHORIZATION};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client};

use crate::{
    doctor::inventory::Name,
    kubernetes::client::{error_text, port_forward::PortForward},
};

/// More than an answer has that the doctor asks for.
const LONGEST: usize = 64 * 1024 * 1024;

/// What is asked at a port.
pub(super) struct Asked<'a> {
    pub(super) port: u16,
    pub(super) method: Method,
    pub(super) path: &'a str,
    /// The value of `Authorization`.
    pub(super) authorization: Option<HeaderValue>,
}

impl<'a> Asked<'a> {
    pub(super) fn get(port: u16, path: &'a str) -> Self {
        Self { port, method: Method::GET, path, authorization: None }
    }
}

/// The status and the body of an answer, or the reason why there is none.
pub(super) async fn ask(
    client: &Client,
    name: &Name,
    asked: Asked<'_>,
) -> Result<(u16, bytes::Bytes), String> {
    let Asked { port, method, path, authorization } = asked;
    let pods = Api::<Pod>::namespaced(client.clone(), &name.namespace);
    let forwarded = PortForward::open(&pods, &name.name, port).await;
    let mut forwarded =
        forwarded.map_err(|error| format!("no port-forward to it: {}", error_text::of_call(&error)))?;
    let ended = || "the port-forward to it ended".to_owned();
    let stream = TokioIo::new(forwarded.stream().ok_or_else(ended)?);
    let exchanged = async {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
        let asked = async {
            let mut request = http::Request::new(Empty::<bytes::Bytes>::new());
            *request.method_mut() = method;
            *request.uri_mut() = path.parse()?;
            let headers = request.headers_mut();
            headers.insert("host", HeaderValue::from_static("localhost"));
            headers.extend(authorization.map(|authorization| (AUTHORIZATION, authorization)));
            let answer = sender.send_request(request).await?;
            let status = answer.status().as_u16();
            Ok((status, Limited::new(answer.into_body(), LONGEST).collect().await?.to_bytes()))
        };
        tokio::select! {
            answer = asked => answer,
            // It goes on until it is dropped.
            _ = connection => Err(ended().into()),
        }
    };
    tokio::select! {
        answer = exchanged => answer.map_err(|error: Box<dyn std::error::Error + Send + Sync>| error.to_string()),
        reason = forwarded.failure() => Err(reason.trim().to_owned()),
    }
}
