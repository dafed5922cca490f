//! `GET /metrics`, for Prometheus.

mod exposition;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use self::exposition::MEDIA_TYPE;
use super::events::MAX_STREAMS;
use crate::http::{
    operation::{Content, Operation, text},
    problem::Problem,
    state::Served,
};
use crate::{
    clock::seconds_since,
    fleet::filters,
    serving::{
        published::Publication,
        scope_cache::Occupancy,
        status::{Version, counts},
    },
};

pub(crate) async fn get(State(served): State<Served>) -> Result<Response, Problem> {
    let made = tokio::task::spawn_blocking(move || state(&served).text()).await;
    let text = made.map_err(|_| Problem::not_ready("the metrics could not be made".to_owned()))?;
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response())
}

fn state(served: &Served) -> exposition::State {
    let (publisher, services) = (&served.publisher, &served.services);
    let namespaces = services.namespaces();
    let (counts, holds) = match publisher.publication() {
        Publication::Serving(published) => {
            (counts(&published, namespaces.as_deref()), published.holds.clone())
        }
        Publication::Starting { .. } => Default::default(),
    };
    // Before the others: to find out what is newest can bring scopes back.
    let filters = filters::counts(&services.filters.list(publisher)).states();
    let version = Version::of(publisher).ok();
    let Occupancy { scopes, waiting: polls_parked } = publisher.occupancy();
    exposition::State {
        reconciles: served.refresh.reconciles.clone(),
        notifications: services.notifications.clone(),
        version,
        counts,
        halted: holds.halted,
        withdrawn: holds.withdrawn.is_some(),
        age: served.refresh.looks().read_at.map(seconds_since),
        polls_parked,
        event_streams: MAX_STREAMS - services.streams.available_permits(),
        scopes,
        filters,
        cluster: services.cluster.as_ref().map(|cluster| cluster.current()),
    }
}

pub(crate) fn described() -> Operation {
    let content = Content("application/openmetrics-text", text);
    Operation::new("Metrics for Prometheus").answers(200, "OpenMetrics", Some(content), &[]).problems(&[503])
}
