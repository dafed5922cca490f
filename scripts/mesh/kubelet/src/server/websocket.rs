//! The change of a connection from HTTP to WebSocket.

use anyhow::{Context, Result};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::Response;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tracing::debug;

/// A connection that speaks WebSocket.
pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// A request for one, and the protocol that both sides know.
pub(super) struct Upgrade {
    request: Request,
    key: String,
    protocol: &'static str,
}

impl Upgrade {
    /// Takes the first of the protocols that the client offers.
    pub(super) fn of(request: Request, protocols: &[&'static str]) -> Result<Self> {
        let value = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let key = value(header::SEC_WEBSOCKET_KEY).context("only WebSocket is spoken here, and no SPDY")?;
        let key = derive_accept_key(key.as_bytes());
        let offered = value(header::SEC_WEBSOCKET_PROTOCOL).unwrap_or_default();
        let known = offered.split(',').find_map(|name| protocols.iter().find(|known| **known == name.trim()));
        let protocol = known.with_context(|| format!("none of {offered:?} is spoken here: {protocols:?}"))?;
        Ok(Self { request, key, protocol })
    }

    /// Accepts it, and hands the connection over once it is there.
    pub(super) fn answer<F>(self, use_it: impl FnOnce(Socket, &'static str) -> F + Send + 'static) -> Response
    where
        F: Future<Output = Result<()>> + Send,
    {
        let Self { request, key, protocol } = self;
        tokio::spawn(async move {
            let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
            let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
            if let Err(error) = use_it(socket, protocol).await {
                debug!(error = format!("{error:#}"), protocol, "a stream ends");
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = [
            (header::CONNECTION, "upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_ACCEPT, key.as_str()),
            (header::SEC_WEBSOCKET_PROTOCOL, protocol),
        ];
        for (name, value) in headers {
            // All of them are plain.
            if let Ok(value) = value.parse() {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
