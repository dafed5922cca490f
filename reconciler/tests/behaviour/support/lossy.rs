//! A way to an API server on which answers can get lost, in clear text.

use std::{
    future::pending,
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Response, header},
};
use kube::{
    Client,
    config::{Config, KubeConfigOptions, Kubeconfig},
};
use tokio::net::TcpListener;

/// Forwards requests, as the user of a kubeconfig.
pub(crate) struct Lossy {
    pub(crate) url: String,
    lost: Lost,
}

/// The part of the paths whose answers get lost.
type Lost = Arc<Mutex<Option<&'static str>>>;

impl Lossy {
    pub(crate) async fn before(kubeconfig: &Path) -> Self {
        let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        let lost = Lost::default();
        let state = (Client::try_from(config).unwrap(), Arc::clone(&lost));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(forward).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, lost }
    }

    /// Loses the answers to requests with this part in their paths from now on. The requests are done all the same.
    pub(crate) fn lose(&self, part: Option<&'static str>) {
        *self.lost.lock().unwrap() = part;
    }
}

async fn forward(State((client, lost)): State<(Client, Lost)>, request: Request) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(header::AUTHORIZATION);
    let path = parts.uri.path().to_owned();
    let body = to_bytes(body, 1 << 20).await.unwrap().to_vec();
    let answer = client.send(axum::http::Request::from_parts(parts, body.into())).await.unwrap();
    let is_lost = lost.lock().unwrap().is_some_and(|part| path.contains(part));
    if is_lost {
        pending::<()>().await;
    }
    answer.map(Body::new)
}
