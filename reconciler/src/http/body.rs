//! The bodies of requests: few are read at once, and each in a bounded time.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Bytes, HttpBody as _},
    extract::{FromRequest as _, Request},
    http::{
        HeaderMap, StatusCode,
        header::{self, RETRY_AFTER},
    },
};
use tokio::{sync::Notify, time::timeout};

use super::{
    limits::{self, MAX_BODY},
    problem::Problem,
};
use crate::clients::{Client, Places};

/// A place for each body that can be read at once.
pub(crate) type Bodies = Arc<Places<Arc<Notify>>>;

/// Demands a body of JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    is_of(headers, "application/json")
}

/// Demands a body of a media type.
pub(crate) fn is_of(headers: &HeaderMap, expected: &str) -> Result<(), Problem> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("the Content-Type must be {expected}")))
}

/// Reads the body of a request, within a time.
pub(crate) async fn read(
    bodies: &Bodies,
    client: Client,
    request: Request,
    within: Duration,
) -> Result<Bytes, Problem> {
    if request.body().size_hint().lower() > MAX_BODY as u64 {
        return Err(Problem::too_large());
    }
    let (reading, closed) = (bodies.take(client).ok_or_else(busy)?, Arc::<Notify>::default());
    bodies.close_by(reading.key(), Arc::clone(&closed));
    let body = tokio::select! {
        body = timeout(within, Bytes::from_request(request, &())) => body,
        () = closed.notified() => return Err(busy()),
    };
    let body = body.map_err(|_| {
        let detail = format!("the body takes longer than {:.0} s", within.as_secs_f64());
        Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
    })?;
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(),
        status => Problem::new(status, "the body broke off"),
    })
}

fn busy() -> Problem {
    let detail = "too many bodies are being read already; try again later";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).header(RETRY_AFTER, limits::RETRY_AFTER)
}
