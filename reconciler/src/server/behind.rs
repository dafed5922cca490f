//! A replica that is behind what a client runs fetches before it answers: filters never go back.

use std::time::Duration;

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use super::{Served, conditional, problem::Problem, snapshot::REVISION};
use crate::published::State as Publication;

/// How long a client is held that did not say how long it is glad to be.
const UNASKED: Duration = Duration::from_secs(5);

/// Makes sure that this replica is not behind the revision that the client runs, which may take until
/// `wait` is over. `Err` is what to answer when it still may be, or when the server ends.
pub(super) async fn catch_up(
    served: &mut Served,
    headers: &HeaderMap,
    wait: Option<Duration>,
) -> Result<(), Box<Response>> {
    let Some(revision) = headers.get(REVISION).and_then(|revision| revision.to_str().ok()) else {
        return Ok(());
    };
    let is_behind = |state: &Publication| match state {
        // Nothing to inject is nothing to go back to.
        Publication::Serving(published) => !published.is_stopped() && published.lineage.is_behind(revision),
        Publication::Starting { .. } => false,
    };
    if !is_behind(&served.publisher.state()) {
        return Ok(());
    }
    let caught_up = async {
        tokio::select! {
            // What is still unknown after a fetch was forced off the branch, or never was on it.
            () = served.refresh.look() => true,
            () = served.publisher.until(|state| !is_behind(state)) => true,
            () = served.shutdown.requested() => false,
        }
    };
    match timeout(wait.unwrap_or(UNASKED), caught_up).await {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(Box::new(stay(headers, revision))),
    }
}

/// What the client runs stays in force: its own revision and tag, since those of this replica are older.
fn stay(headers: &HeaderMap, revision: &str) -> Response {
    match conditional::first(headers) {
        Some(etag) => {
            let validators =
                [(header::ETAG, etag), (REVISION, revision), (header::CACHE_CONTROL, "no-cache")];
            (StatusCode::NOT_MODIFIED, validators).into_response()
        }
        None => {
            let detail = format!("this replica is behind {revision} and cannot fetch it; see /v1/ready");
            let retry_after = [(header::RETRY_AFTER, "1")];
            (retry_after, Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)).into_response()
        }
    }
}
