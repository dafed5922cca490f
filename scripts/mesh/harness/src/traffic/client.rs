//! One request, and what it got.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Method, StatusCode};
use serde_json::Value;

use super::http_client::http_client;

/// Longer than the longest delay a policy may ask for.
const PATIENCE: Duration = Duration::from_secs(40);

/// A request to send.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A GET of `path`.
    pub fn get(path: &str) -> Self {
        Self { method: Method::GET, path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    /// The requested path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same with another method.
    pub fn method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// The same with a body.
    pub fn body(self, body: Vec<u8>) -> Self {
        Self { body, ..self }
    }

    /// The same with one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// The answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The whole body.
    pub body: String,
    /// From sending the request to the last byte of the body.
    pub took: Duration,
    headers: HeaderMap,
}

impl Answer {
    /// A header of the answer.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// True if the filter made up this answer.
    pub fn aborted(&self) -> bool {
        self.header("x-hfi-fault") == Some("abort")
    }

    /// True if the filter held the request before the workload got it.
    pub fn delayed(&self) -> bool {
        self.seen_by_workload("x-hfi-fault").as_deref() == Some("delay")
    }

    /// The SHA-256 of the request's body as it reached the workload.
    pub fn body_seen_by_workload(&self) -> Option<String> {
        let echo: Value = serde_json::from_str(&self.body).ok()?;
        Some(echo.get("body")?.as_str()?.to_owned())
    }

    /// A header of the request as it reached the workload.
    pub fn seen_by_workload(&self, name: &str) -> Option<String> {
        let echo: Value = serde_json::from_str(&self.body).ok()?;
        Some(echo.get("headers")?.get(name)?.as_str()?.to_owned())
    }
}

/// Sends requests; keeps its connections.
#[derive(Debug, Clone)]
pub struct Client(reqwest::Client);

impl Client {
    /// A client that goes straight to the address, whatever proxy the environment names, and no
    /// further, wherever the answer points.
    pub fn new() -> Result<Self> {
        Ok(Self(straight()?.build()?))
    }

    /// The same with a new connection for each request.
    pub fn without_reuse() -> Result<Self> {
        Ok(Self(straight()?.pool_max_idle_per_host(0).build()?))
    }

    /// The same, speaking HTTP/2 from the first byte on.
    pub fn http2() -> Result<Self> {
        Ok(Self(straight()?.http2_prior_knowledge().build()?))
    }

    /// The same from one of the addresses of this machine.
    pub fn http2_from(address: IpAddr) -> Result<Self> {
        Ok(Self(straight()?.http2_prior_knowledge().local_address(address).build()?))
    }

    /// Asks `address`.
    pub async fn send(&self, address: SocketAddr, request: &Request) -> Result<Answer> {
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        let began = Instant::now();
        let response = self
            .0
            .request(request.method.clone(), format!("http://{address}{}", request.path))
            .headers(headers)
            .body(request.body.clone())
            .send()
            .await
            .with_context(|| format!("asking {address} for {}", request.path))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = String::from_utf8_lossy(&response.bytes().await?).into_owned();
        Ok(Answer { status, body, took: began.elapsed(), headers })
    }
}

fn straight() -> Result<ClientBuilder> {
    Ok(http_client()?.no_proxy().redirect(Policy::none()).timeout(PATIENCE))
}
