//! Errors as problem documents (RFC 9457).

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::limits::MAX_BODY;
use crate::api::{self, writes::BodyError};

/// A status code and its reason.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    document: Box<api::problem::Problem>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        // `about:blank`, the default type: the status says it all.
        let document = api::problem::Problem {
            detail: detail.into(),
            status: status.as_u16(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            ..Default::default()
        };
        Self { status, document: Box::new(document), headers: Vec::new() }
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

    /// The same with a header; a value that no header can have is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::try_from(value).ok().map(|value| (name, value)));
        self
    }

    /// The same with the mistakes in the body of the request.
    pub(crate) fn errors(mut self, errors: Vec<BodyError>) -> Self {
        self.document.errors = errors;
        self
    }

    /// The same for a write that may have been done, as this commit if that is known.
    pub(crate) fn unknown(mut self, commit: Option<String>) -> Self {
        (self.document.outcome, self.document.commit) = (Some("unknown".to_owned()), commit);
        self
    }

    /// The same with the id of the write.
    pub(crate) fn of_request(mut self, id: String) -> Self {
        self.document.request = Some(id);
        self
    }

    pub(crate) fn detail(&self) -> &str {
        &self.document.detail
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }
}

impl Problem {
    /// The same status with an answer for people.
    pub(crate) fn answer(self, mut answer: Response) -> Response {
        *answer.status_mut() = self.status;
        answer.headers_mut().extend(self.headers);
        answer
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        let document = (content_type, Json(&self.document)).into_response();
        self.answer(document)
    }
}
