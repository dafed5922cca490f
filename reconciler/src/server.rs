//! The HTTP interface. The one folder that names `axum`.

mod behind;
pub mod conditional;
mod events;
mod filters;
mod front;
mod hooks;
mod metrics;
mod modules;
mod openapi;
mod policies;
mod problem;
mod ready;
mod snapshot;
mod status;
mod wait;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    http::{StatusCode, Uri},
    routing::{get, post},
};
use serde_json::json;
use tokio::sync::Semaphore;

pub use self::front::{Listener, serve};
use self::{
    front::{MAX_REQUESTS, MAX_UNSHARED},
    problem::Problem,
};
use crate::{
    cluster::Cluster, filters::Filters, halt::Switch, metrics::Notifications, modules::Modules,
    namespaces::Namespaces, notification::SecretFile, published::Publisher, refresh::Refresh,
    shutdown::Shutdown,
};

/// What a handler may look at.
#[derive(Clone, Debug)]
struct Served {
    publisher: Arc<Publisher>,
    /// What is in force also while nothing of it is served.
    switch: Arc<Switch>,
    refresh: Arc<Refresh>,
    shutdown: Shutdown,
    services: Arc<Services>,
}

/// What is served beside the policies.
#[derive(Debug)]
pub struct Services {
    /// What notifications are verified by; without it there are none.
    pub secrets: Option<SecretFile>,
    pub modules: Modules,
    /// What is known of the cluster, if it is a peer.
    pub cluster: Option<Arc<Cluster>>,
    filters: Filters,
    notifications: Notifications,
    report: status::Report,
    /// One permit for each stream of events that may still be opened.
    streams: Arc<Semaphore>,
    /// One permit for each notification whose body may be read at once.
    bodies: Semaphore,
}

impl Services {
    pub fn new(secrets: Option<SecretFile>, modules: Modules) -> Self {
        Self {
            secrets,
            modules,
            cluster: None,
            filters: Filters::default(),
            notifications: Notifications::default(),
            report: status::Report::default(),
            streams: Arc::new(Semaphore::new(events::MAX_STREAMS)),
            bodies: Semaphore::new(hooks::MAX_BODIES),
        }
    }
}

impl Services {
    /// The namespaces of the cluster, once they are known.
    fn namespaces(&self) -> Option<Arc<Namespaces>> {
        self.cluster.as_ref()?.namespaces()
    }
}

impl Default for Services {
    /// Neither notifications nor modules.
    fn default() -> Self {
        Self::new(None, Modules::default())
    }
}

/// All routes, and what is behind them.
#[derive(Clone, Debug)]
pub struct Routes {
    pub router: Router,
    served: Served,
    /// One permit for each request that may be open at once, plain polls apart.
    requests: Arc<Semaphore>,
    /// One permit for each byte of answers that are made for one request.
    unshared: Arc<Semaphore>,
}

/// Goes with an answer whose body takes no memory, since it is kept in any case.
#[derive(Clone, Copy, Debug)]
struct Shared;

/// All routes.
pub fn router(switch: Arc<Switch>, refresh: Arc<Refresh>, shutdown: Shutdown, services: Services) -> Routes {
    let (publisher, services) = (Arc::clone(switch.publisher()), Arc::new(services));
    let served = Served { publisher, switch, refresh, shutdown, services };
    let router = Router::new()
        .route("/v1/snapshot", get(snapshot::get))
        .route("/v1/policies", get(policies::list))
        .route("/v1/policies/status", get(status::get))
        .route("/v1/policies/{name}", get(policies::one))
        .route("/v1/events", get(events::get))
        .route("/v1/config/stream", get(events::get))
        .route("/v1/filters", get(filters::get))
        .route("/v1/hooks/{forge}", post(hooks::post).layer(DefaultBodyLimit::max(front::MAX_BODY)))
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
    Routes {
        router,
        served,
        requests: Arc::new(Semaphore::new(MAX_REQUESTS)),
        unshared: Arc::new(Semaphore::new(MAX_UNSHARED as usize)),
    }
}

/// 200 while the process serves.
async fn health() -> Json<serde_json::Value> {
    Json(json!({"status": "ok"}))
}

async fn not_found(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing at {}", uri.path()))
}

async fn method_not_allowed(uri: Uri) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take this method", uri.path()))
}
