//! A registry as the big ones are: it names a place where a login is exchanged for a token, and takes
//! nothing but that token. Behind it stands a real one.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Response, StatusCode};
use harness::{http_client, loopback};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::registry::Registry;

const TOKEN: &str = "Bearer opaque";

/// A running one. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Gatekeeper {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

struct Behind {
    address: String,
    login: String,
    own: SocketAddr,
}

impl Gatekeeper {
    pub(crate) async fn before(registry: &Registry) -> Result<Self> {
        let listener = TcpListener::bind(loopback()).await?;
        let address = listener.local_addr()?;
        let behind =
            Behind { address: registry.address.clone(), login: registry.authorization.clone(), own: address };
        let router = Router::new().fallback(answer).with_state(Arc::new(behind));
        let task = tokio::spawn(async move {
            // Only a listener that breaks ends this, and then every request shows it.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }
}

impl Drop for Gatekeeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(behind): State<Arc<Behind>>, request: Request) -> Response<Body> {
    let said = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let plain = |status, text: &str| {
        let mut response = Response::new(Body::from(text.to_owned()));
        *response.status_mut() = status;
        response
    };
    if request.uri().path() == "/token" {
        let wanted = request.uri().query().is_some_and(|query| query.contains("pull%2Cpush"));
        let known = said.as_deref() == Some(&behind.login);
        return match (known, wanted) {
            (true, true) => plain(StatusCode::OK, r#"{"token": "opaque"}"#),
            _ => plain(StatusCode::FORBIDDEN, ""),
        };
    }
    if said.as_deref() != Some(TOKEN) {
        let mut response = plain(StatusCode::UNAUTHORIZED, "");
        let challenge = format!(r#"Bearer realm="http://{}/token",service="registry""#, behind.own);
        if let Ok(challenge) = challenge.parse() {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        return response;
    }
    match forward(&behind, request).await {
        Ok(response) => response,
        Err(error) => plain(StatusCode::BAD_GATEWAY, &error.to_string()),
    }
}

async fn forward(behind: &Behind, request: Request) -> Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers: HeaderMap = parts.headers;
    headers.insert(AUTHORIZATION, behind.login.parse()?);
    let request = http_client()?
        .build()?
        .request(parts.method, format!("http://{}{path}", behind.address))
        // With the host that was asked for, so that the places it names are here.
        .headers(headers)
        .body(to_bytes(body, 1 << 24).await?);
    let answer = request.send().await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = Body::from(answer.bytes().await?);
    Ok(response)
}
