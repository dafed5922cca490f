//! `GET /v1/ready`: whether there is something to serve, and how old and how sure it is.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::http::{problem::Problem, state::Served};
use crate::{clock::seconds_since, serving::published::Publication};

/// 200 once there is something to serve, and from then on, whatever becomes of the source; before, 503
/// with the reason. To be halted is something to serve: where that ends before the source was ever read,
/// it is 503 again.
pub(crate) async fn get(State(served): State<Served>) -> Result<Json<Value>, Problem> {
    let published = match served.publisher.publication() {
        Publication::Serving(published) => published,
        Publication::Starting { reason } => return Err(Problem::not_ready(reason)),
    };
    let looks = served.refresh.looks();
    let error = looks
        .failure
        .map(|failure| json!({"message": failure.reason, "age_seconds": seconds_since(failure.at)}));
    Ok(Json(json!({
        "status": "ready",
        "revision": published.revision.as_str(),
        "halted": published.halted,
        "withdrawn": published.withdrawn,
        // Left by an earlier process: this one has not read the source yet.
        "restored": looks.restored,
        "source_age_seconds": looks.read_at.map(seconds_since),
        "source_error": error,
    })))
}
