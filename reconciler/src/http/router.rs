//! The routes.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    http::{StatusCode, Uri},
    routing::{get, post},
};

use super::{
    limits::MAX_BODY,
    problem::Problem,
    routes::{events, filters, hooks, metrics, modules, openapi, policies, ready, snapshot, status},
    state::{Served, Services},
};
use crate::{
    api::health::{Health, HealthStatus},
    serving::publisher::Publisher,
    shutdown::Shutdown,
    sync::requests::Refresh,
};

/// All routes, and what is behind them.
#[derive(Clone, Debug)]
pub struct Routes {
    pub router: Router,
    pub(crate) served: Served,
}

/// All routes.
pub fn router(
    publisher: Arc<Publisher>,
    refresh: Arc<Refresh>,
    shutdown: Shutdown,
    services: Services,
) -> Routes {
    let services = Arc::new(services);
    let served = Served { publisher, refresh, shutdown, services };
    let router = Router::new()
        .route(snapshot::PATH, get(snapshot::get))
        .route("/v1/policies", get(policies::list))
        .route("/v1/policies/status", get(status::get))
        .route("/v1/policies/{name}", get(policies::one))
        .route("/v1/events", get(events::get))
        .route("/v1/config/stream", get(events::get))
        .route("/v1/filters", get(filters::get))
        .route("/v1/hooks/{forge}", post(hooks::post).layer(DefaultBodyLimit::max(MAX_BODY)))
        .route("/openapi.json", get(openapi::get))
        .route("/metrics", get(metrics::get))
        .route("/filter.wasm", get(modules::newest))
        .route("/filter/{file}", get(modules::by_digest))
        .route("/v1/health", get(health))
        .route("/health", get(health))
        .route("/v1/ready", get(ready::get))
        .route("/ready", get(ready::get))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(served.clone());
    Routes { router, served }
}

/// 200 while the process serves.
async fn health() -> Json<Health> {
    Json(Health { status: HealthStatus::Ok })
}

async fn not_found(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing at {}", uri.path()))
}

async fn method_not_allowed(uri: Uri) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take this method", uri.path()))
}
