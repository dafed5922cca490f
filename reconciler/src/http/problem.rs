//! Errors as problem documents (RFC 9457).

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::limits::MAX_BODY;
use crate::api;

/// A status code and its reason.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    /// 413: the body of the request is too long.
    pub(crate) fn too_large() -> Self {
        let detail = format!("the body of a request has at most {MAX_BODY} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// 503: there is nothing to serve yet.
    pub(crate) fn not_ready(reason: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, reason)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, detail } = self;
        let title = status.canonical_reason().unwrap_or("Error");
        // `about:blank`, the default type: the status says it all.
        let (status_code, title) = (status.as_u16(), title.to_owned());
        let document = api::problem::Problem { detail, status: status_code, title, ..Default::default() };
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, content_type, Json(document)).into_response()
    }
}
