//! Requests that are refused before anything is done: the log and the metrics have them all.

use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{Method, StatusCode},
};
use tracing::warn;

use super::{problem::Problem, state::Served};

/// The path of the requests that change policies, and the beginning of the others.
const WRITES: &str = "/v1/policies";

/// Tells of a refusal: the request, its address and the reason. It is counted, and once more if it is of a write.
pub(crate) fn tell(served: &Served, request: &Request, problem: &Problem) {
    let address = request.extensions().get::<IpAddr>();
    let from = address.map(|address| address.to_canonical().to_string()).unwrap_or_default();
    let (method, path) = (request.method(), request.uri().path());
    let (status, reason) = (problem.status().as_u16(), problem.detail());
    warn!(from, %method, path, status, reason, "a request was refused");
    let result = result(problem.status());
    served.counters.refusals.note(result);
    if served.services.writing.is_some() && is_write(method, path) {
        served.counters.writes.note(result);
    }
}

/// The result of a request that is answered with this status, as metrics name it.
pub(crate) fn result(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "unauthorized",
        StatusCode::FORBIDDEN => "forbidden",
        StatusCode::TOO_MANY_REQUESTS => "limited",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable",
        _ => "invalid",
    }
}

fn is_write(method: &Method, path: &str) -> bool {
    let below = path.strip_prefix(WRITES);
    let is_of_policies = below.is_some_and(|below| below.is_empty() || below.starts_with('/'));
    is_of_policies && [Method::POST, Method::PUT, Method::DELETE].contains(method)
}
