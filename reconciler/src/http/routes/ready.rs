//! `GET /v1/ready`: 200 once there is something to serve.

use axum::{Json, extract::State, response::IntoResponse};

use crate::http::{
    headers::REVISION,
    operation::{Operation, REVISION as REVISION_HEADER, json},
    problem::Problem,
    state::Served,
};
use crate::{
    api::ready::{Ready, ReadyStatus, SourceError},
    clock::seconds_since,
    serving::published::Publication,
};

/// 503 with the reason until the source was read or restored once; 200 from then on, even while it fails.
/// A halted replica is ready; if the halt ends before the source was ever read, it is 503 again.
pub(crate) async fn get(State(served): State<Served>) -> Result<impl IntoResponse, Problem> {
    let published = match served.publisher.publication() {
        Publication::Serving(published) => published,
        Publication::Starting { reason } => return Err(Problem::not_ready(reason)),
    };
    let attempts = served.syncs.attempts();
    let source_error = attempts
        .failure
        .map(|failure| SourceError { age_seconds: seconds_since(failure.at), message: failure.reason });
    let revision = published.whole.revision.to_string();
    let ready = Ready {
        halted: published.is_halted(),
        restored: attempts.restored,
        revision: revision.clone(),
        source_age_seconds: attempts.read_at.map(seconds_since),
        source_error,
        status: ReadyStatus::Ready,
        withdrawn: published.holds.withdrawn.clone(),
    };
    Ok(([(REVISION, revision)], Json(ready)))
}

pub(crate) fn described() -> Operation {
    Operation::new("Readiness")
        .answers(200, "There is something to serve", Some(json::<Ready>()), &[REVISION_HEADER])
        .problems(&[503])
}
