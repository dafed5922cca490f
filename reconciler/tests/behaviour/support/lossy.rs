//! A way to an API server on which answers can get lost, in clear text.

use std::{
    future::pending,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, Response, header},
};
use kube::{
    Client,
    config::{Config, KubeConfigOptions, Kubeconfig},
};
use tokio::net::TcpListener;

/// Forwards requests, as the user of a kubeconfig.
pub(crate) struct Lossy {
    pub(crate) url: String,
    loses: Arc<AtomicBool>,
}

impl Lossy {
    pub(crate) async fn before(kubeconfig: &Path) -> Self {
        let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        let loses = Arc::<AtomicBool>::default();
        let state = (Client::try_from(config).unwrap(), Arc::clone(&loses));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(forward).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, loses }
    }

    /// Loses the answers to Events from now on, or no longer. The requests are done all the same.
    pub(crate) fn lose(&self, loses: bool) {
        self.loses.store(loses, SeqCst);
    }
}

async fn forward(
    State((client, loses)): State<(Client, Arc<AtomicBool>)>,
    request: Request,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(header::AUTHORIZATION);
    let is_event = parts.method == Method::POST && parts.uri.path().ends_with("/events");
    let body = to_bytes(body, 1 << 20).await.unwrap().to_vec();
    let answer = client.send(axum::http::Request::from_parts(parts, body.into())).await.unwrap();
    if is_event && loses.load(SeqCst) {
        pending::<()>().await;
    }
    answer.map(Body::new)
}
