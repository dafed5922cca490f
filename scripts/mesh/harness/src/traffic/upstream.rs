//! The workload behind every proxy: answers 200 and says what it was asked, or redirects where the path says so.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{HOST, LOCATION};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use policies::Digest;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::system::loopback;

/// A running workload. Dropping it stops it.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Upstream {
    /// Starts it on a free port of the loopback interface.
    pub async fn start() -> Result<Self> {
        Self::start_at(loopback()).await
    }

    /// Starts it at an address.
    pub async fn start_at(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let router = Router::new().fallback(async move |request: Request| {
            counted.fetch_add(1, Ordering::Relaxed);
            match location(&request) {
                Some(location) => (StatusCode::FOUND, [(LOCATION, location)]).into_response(),
                None => echo(request).await,
            }
        });
        let task = tokio::spawn(async move {
            // Only a listener that breaks ends this, and then every request shows it.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, requests, task })
    }

    /// The address that it listens at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of requests that have reached it.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The place that a request is redirected to: `/REST` for `/redirect/REST`, and the whole address of it for
/// `/redirect-whole/REST`.
fn location(request: &Request) -> Option<String> {
    let rest = |prefix| request.uri().path().strip_prefix(prefix).filter(|rest| rest.starts_with('/'));
    if let Some(path) = rest("/redirect") {
        return Some(path.to_owned());
    }
    let path = rest("/redirect-whole")?;
    let host = request.headers().get(HOST)?.to_str().ok()?;
    Some(format!("http://{host}{path}"))
}

async fn echo(request: Request) -> Response {
    let (request, body) = request.into_parts();
    // One that breaks off in the middle has no digest.
    let body = to_bytes(body, usize::MAX).await.map(|body| Digest::of(&body).to_string());
    let headers: BTreeMap<&str, String> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Json(json!({
        "method": request.method.as_str(),
        "path": request.uri.to_string(),
        "headers": headers,
        "body": body.ok(),
    }))
    .into_response()
}
