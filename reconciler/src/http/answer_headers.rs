//! Headers of answers, for browsers: pages of other origins get nothing, and no answer is taken for a script or a style
//! that it does not say it is.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, header::X_CONTENT_TYPE_OPTIONS},
    middleware::Next,
    response::Response,
};
use policies::wire::poll;

const HEADERS: [(HeaderName, HeaderValue); 2] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Adds them to each answer but those of polls: proxies are no browsers, and snapshots are open.
pub(super) async fn add(request: Request, next: Next) -> Response {
    let is_poll = request.uri().path() == poll::PATH;
    let answer = next.run(request).await;
    if is_poll { answer } else { with(answer) }
}

/// An answer with these headers.
pub(super) fn with(mut answer: Response) -> Response {
    answer.headers_mut().extend(HEADERS);
    answer
}
