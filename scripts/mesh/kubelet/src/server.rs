//! The kubelet's own API, which the API server calls for `kubectl logs`, `exec` and `port-forward`.

mod carry;
mod certificate;
mod channels;
mod exec;
mod inside;
mod logs;
mod port_forward;
mod query;
mod routes;
mod spdy;
mod tunnel;
mod websocket;

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tracing::debug;

pub(crate) use routes::Containers;

/// A server that waits for its first connection.
pub(crate) struct Server {
    listener: TcpListener,
    tls: TlsAcceptor,
    routes: axum::Router,
}

impl Server {
    /// Listens at a free port of an address.
    pub(crate) async fn bind(address: Ipv4Addr, containers: Containers) -> Result<Self> {
        let listener = TcpListener::bind((address, 0)).await.context("the kubelet's own API")?;
        Ok(Self { listener, tls: certificate::acceptor(address)?, routes: routes::routes(containers) })
    }

    /// The port that the Node's status names.
    pub(crate) fn port(&self) -> Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Answers for ever.
    pub(crate) async fn run(self) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => if let Ok((stream, _)) = accepted {
                    let (tls, routes) = (self.tls.clone(), self.routes.clone());
                    connections.spawn(async move {
                        if let Err(error) = serve(tls, routes, stream).await {
                            debug!(error = format!("{error:#}"), "a connection of the API server");
                        }
                    });
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

async fn serve(tls: TlsAcceptor, routes: axum::Router, stream: TcpStream) -> Result<()> {
    let stream = TokioIo::new(tls.accept(stream).await?);
    let connection = http1::Builder::new().serve_connection(stream, TowerToHyperService::new(routes));
    Ok(connection.with_upgrades().await?)
}
