//! A replica that is behind what a client runs fetches before it answers: filters never go back.

use std::time::Duration;

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use super::{
    conditional,
    headers::{REVISION, VARY},
    problem::Problem,
    state::Served,
};
use crate::serving::published::Publication;

/// The longest hold of a client that did not ask to wait.
const UNASKED: Duration = Duration::from_secs(5);

/// A client that runs what this replica does not know.
#[derive(Debug)]
pub(crate) struct Behind {
    revision: String,
    /// The first of the tags that the client names.
    etag: Option<String>,
}

impl Behind {
    /// `Some` if this replica is behind the revision that the client runs.
    pub(crate) fn of(served: &Served, headers: &HeaderMap) -> Option<Box<Self>> {
        let revision = headers.get(REVISION)?.to_str().ok()?;
        is_behind(&served.publisher.publication(), revision).then(|| {
            let etag = conditional::first(headers).map(str::to_owned);
            Box::new(Self { revision: revision.to_owned(), etag })
        })
    }

    /// Makes sure that this replica no longer is, which may take until `wait` is over. `false`: it still
    /// may be, or the server ends.
    pub(crate) async fn catch_up(&self, served: &Served, wait: Option<Duration>) -> bool {
        let caught_up = async {
            tokio::select! {
                // What is still unknown after a fetch was forced off the branch, or never was on it.
                () = served.refresh.sync() => true,
                () = served.publisher.until(|state| !is_behind(state, &self.revision)) => true,
                () = served.shutdown.requested() => false,
            }
        };
        timeout(wait.unwrap_or(UNASKED), caught_up).await.unwrap_or(false)
    }

    /// Answers that the client's policies stay in force: with its own revision and tag, since those of this
    /// replica are older.
    pub(crate) fn stay(&self) -> Response {
        match &self.etag {
            Some(etag) => {
                let validators = [
                    (header::ETAG, etag.as_str()),
                    (REVISION, &self.revision),
                    (header::VARY, VARY),
                    (header::CACHE_CONTROL, "no-cache"),
                ];
                (StatusCode::NOT_MODIFIED, validators).into_response()
            }
            None => {
                let detail =
                    format!("this replica is behind {} and cannot fetch it; see /v1/ready", self.revision);
                let retry_after = [(header::RETRY_AFTER, "1")];
                (retry_after, Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)).into_response()
            }
        }
    }
}

fn is_behind(state: &Publication, revision: &str) -> bool {
    match state {
        // Nothing to inject is nothing to go back to.
        Publication::Serving(published) => {
            !published.holds.any() && published.whole.ancestry.is_behind(revision)
        }
        Publication::Starting { .. } => false,
    }
}
