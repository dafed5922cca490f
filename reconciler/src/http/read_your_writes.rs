//! `x-hfi-revision` of a GET: a replica that does not have that commit fetches before it answers, and answers with
//! nothing that is older.

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode, header::RETRY_AFTER},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{
    catch_up, limits,
    prefer::{self, Wait},
    problem::Problem,
    state::Served,
};
use crate::serving::published::Publication;

/// The beginnings of the paths whose answers depend on a revision, other than snapshots, which do this by themselves.
const PATHS: [&str; 7] =
    ["/v1/policies", "/v1/filters", "/v1/halt", "/v1/ready", "/ready", "/v1/events", "/v1/config/stream"];

/// Catches up with the revision that a request names, or answers 503 if that cannot be done.
pub(super) async fn check(State(served): State<Served>, request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_of_a_revision = PATHS.iter().any(|path| request.uri().path().starts_with(path));
    let named = catch_up::named(request.headers()).filter(|_| is_read && is_of_a_revision).map(str::to_owned);
    let Some(named) = named else { return next.run(request).await };
    if lacks(&served.publisher.publication(), &named) {
        let wait = prefer::preferred(request.headers()).map(Wait::duration);
        catch_up::has_fetched(&served, wait, |newest| !lacks(newest, &named)).await;
    }
    if lacks(&served.publisher.publication(), &named) {
        // After a fetch too: what is followed may be a mirror that does not have yet what was written.
        let detail = "this replica does not have the revision of `x-hfi-revision` yet; ask again, or leave it out to \
                      read what is served now";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
        return problem.header(RETRY_AFTER, limits::RETRY_AFTER).into_response();
    }
    next.run(request).await
}

/// True if what is served is of a branch without the commit that a revision names, also if a hold empties it.
fn lacks(newest: &Publication, revision: &str) -> bool {
    match newest {
        Publication::Serving(published) => published.whole.ancestry.is_behind(revision),
        Publication::Starting { .. } => false,
    }
}
