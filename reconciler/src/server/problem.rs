//! Errors as problem documents (RFC 9457).

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An error and what to say of it.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    /// There is nothing to serve yet, and why.
    pub(super) fn not_ready(reason: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, reason)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, detail } = self;
        let title = status.canonical_reason().unwrap_or("Error");
        // `about:blank`, the default type: the status says it all.
        let document = json!({"title": title, "status": status.as_u16(), "detail": detail});
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, content_type, document.to_string()).into_response()
    }
}
