//! The HTTP interface. The one folder that names `axum`.

pub mod conditional;
mod policies;
mod problem;
mod snapshot;
mod wait;

use std::{io, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt as _,
};
use serde_json::json;
use tokio::net::TcpListener;

use self::problem::Problem;
use crate::{
    published::{self, Publisher},
    shutdown::Shutdown,
};

/// What a handler may look at.
#[derive(Clone, Debug)]
struct Served {
    publisher: Arc<Publisher>,
    shutdown: Shutdown,
}

/// All routes.
pub fn router(publisher: Arc<Publisher>, shutdown: Shutdown) -> Router {
    Router::new()
        .route("/v1/snapshot", get(snapshot::get))
        .route("/v1/policies", get(policies::list))
        .route("/v1/policies/{name}", get(policies::one))
        .route("/v1/health", get(health))
        .route("/health", get(health))
        .route("/v1/ready", get(ready))
        .route("/ready", get(ready))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(Served { publisher, shutdown })
}

/// Serves until shutdown, and then until the open requests have been answered.
pub async fn serve(listener: TcpListener, router: Router, mut shutdown: Shutdown) -> io::Result<()> {
    // An answer is one small packet that somebody waits for.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).with_graceful_shutdown(async move { shutdown.requested().await }).await
}

/// 200 while the process serves.
async fn health() -> Json<serde_json::Value> {
    Json(json!({"status": "ok"}))
}

/// 200 once there is something to serve; before, 503 with the reason.
async fn ready(State(served): State<Served>) -> Response {
    match served.publisher.state() {
        published::State::Serving(published) => {
            Json(json!({"status": "ready", "revision": published.revision.as_str()})).into_response()
        }
        published::State::Starting { reason } => Problem::not_ready(reason).into_response(),
    }
}

async fn not_found(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing at {}", uri.path()))
}

async fn method_not_allowed(uri: Uri) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take this method", uri.path()))
}
