//! The routes.

use std::sync::Arc;

use ::policies::{repository::lint::RESERVED, wire::poll};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler as _,
    http::{StatusCode, Uri},
    middleware::{from_fn, from_fn_with_state},
};
use serde_json::Value;

use super::{
    answer_headers, browsers, closed_reads,
    described::Described,
    host,
    limits::MAX_BODY,
    problem::Problem,
    read_your_writes,
    routes::{
        events, filters, halt, health, history, hooks, istio, metrics, modules, overview, page, peer,
        policies, ready, snapshot, status, writes,
    },
    state::{Served, Services},
};
use crate::{serving::publisher::Publisher, shutdown::Shutdown, sync::requests::Syncs};

/// All routes, and what is behind them.
#[derive(Clone, Debug)]
pub struct Routes {
    pub router: Router,
    pub(crate) served: Served,
}

/// All routes.
pub fn router(
    publisher: Arc<Publisher>,
    syncs: Arc<Syncs>,
    shutdown: Shutdown,
    services: Services,
) -> Routes {
    let services = Arc::new(services);
    let counters = syncs.counters.clone();
    let served = Served { publisher, syncs, shutdown, counters, services };
    let router = described().0.merge(page::routes(served.services.page));
    let router =
        router.fallback(not_found).method_not_allowed_fallback(method_not_allowed).with_state(served.clone());
    let router = router.layer(from_fn_with_state(served.clone(), read_your_writes::check));
    let router = router.layer(from_fn_with_state(served.clone(), closed_reads::check));
    let router = router.layer(from_fn_with_state(served.clone(), browsers::check));
    let router = router.layer(from_fn(host::check));
    let router = router.layer(from_fn(answer_headers::add));
    Routes { router, served }
}

/// The OpenAPI document of all routes.
pub fn document() -> Value {
    described().1
}

/// The routes, and the document that describes them.
fn described() -> (Router<Served>, Value) {
    Described::new()
        .get(poll::PATH, snapshot::get, snapshot::described())
        .get("/v1/policies", policies::list, policies::list_described())
        .get("/v1/policies/status", status::get, status::described())
        .get("/v1/policies/{name}", policies::one, policies::one_described())
        .get("/v1/policies/{name}/history", history::get, history::described())
        .post("/v1/policies", writes::post.layer(limit()), writes::post_described())
        .post("/v1/policies/create", writes::post.layer(limit()), writes::post_described())
        .put("/v1/policies/{name}", writes::put.layer(limit()), writes::put_described())
        .delete("/v1/policies/{name}", writes::delete, writes::delete_described())
        .get("/v1/halt", halt::get, halt::get_described())
        .post("/v1/halt", halt::post.layer(limit()), halt::post_described())
        .delete("/v1/halt", halt::delete, halt::delete_described())
        .get("/v1/events", events::get, events::described())
        .get("/v1/config/stream", events::first_generation, events::first_generation_described())
        .get("/v1/overview", overview::get, overview::described())
        .get("/v1/filters", filters::get, filters::described())
        .get("/v1/peer/state", peer::state, peer::state_described())
        .post("/v1/peer/halts", peer::halts.layer(limit()), peer::halts_described())
        .post("/v1/hooks/{forge}", hooks::post.layer(limit()), hooks::described())
        .get("/metrics", metrics::get, metrics::described())
        .get("/filter.wasm", modules::newest, modules::newest_described())
        .get("/filter/{sha256}.wasm", modules::by_digest, modules::by_digest_described())
        .get("/v1/istio/{namespace}/{sha256}.tar.gz", istio::get, istio::described())
        .get("/v1/health", health::get, health::described())
        .get("/health", health::get, health::described())
        .get("/v1/ready", ready::get, ready::described())
        .get("/ready", ready::get, ready::described())
        .with_document("/openapi.json")
}

/// The longest body that is read.
fn limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(MAX_BODY)
}

async fn not_found(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing at {}", uri.path()))
}

async fn method_not_allowed(uri: Uri) -> Problem {
    let path = uri.path();
    let reserved = path.strip_prefix("/v1/policies/").filter(|name| RESERVED.contains(name));
    let detail = match reserved {
        Some(name) => format!("`{name}` is a name of hfi itself; rename a policy of this name in Git"),
        None => format!("{path} does not take this method"),
    };
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}
