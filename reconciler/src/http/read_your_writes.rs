//! `x-hfi-revision` of a GET: a replica that does not have that commit fetches before it answers.

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode, header::RETRY_AFTER},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{
    catch_up::Running,
    limits,
    prefer::{self, Wait},
    problem::Problem,
    state::Served,
};

/// The paths whose answers depend on a revision, other than snapshots, which do this by themselves.
const PATHS: [&str; 4] = ["/v1/policies", "/v1/filters", "/v1/ready", "/v1/events"];

/// Catches up with the revision that a request names, or answers 503 if that cannot be done.
pub(super) async fn check(State(served): State<Served>, request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if is_read && PATHS.iter().any(|path| request.uri().path().starts_with(path)) {
        let mut running = Running::of(&served, request.headers());
        if running.is_ahead_of(&served.publisher.publication()) {
            let wait = prefer::preferred(request.headers()).map(Wait::duration);
            running.catch_up(&served, wait).await;
        }
        if running.is_ahead_of(&served.publisher.publication()) {
            let detail = "this replica does not have the revision of the request yet";
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
            return problem.header(RETRY_AFTER, limits::RETRY_AFTER).into_response();
        }
    }
    next.run(request).await
}
