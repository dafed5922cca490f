//! The services of a connection: plain polls, and all other routes.

use std::io;

use axum::{
    Router,
    body::HttpBody as _,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::FutureExt as _;
use long_poll::{Answer, App, Head, Hold, Listener, Request};
use policies::wire::poll;

use super::{
    answer_headers,
    headers::{self, PREFERENCE_APPLIED, REVISION, VARY},
    limits::{MAX_BODY, RETRY_AFTER},
    prefer::Wait,
    problem::Problem,
    router::Routes,
    routes::{
        istio,
        snapshot::{self, Poll},
    },
};
use crate::{clients::Client, serving::published::Body, source::Revision};

/// The probes, which are answered even over a limit: filters must not decide whether this replica lives. Archives are,
/// too: Flux waits for minutes after a 503.
const PROBES: [&str; 5] = ["/v1/health", "/health", "/v1/ready", "/ready", "/metrics"];

/// Serves until shutdown, and then until the open requests have been answered.
pub async fn serve(listener: impl Into<Listener>, routes: Routes) -> io::Result<()> {
    long_poll::serve(listener, Snapshots(routes)).await
}

/// Polls of snapshots, and all other routes.
#[derive(Debug)]
struct Snapshots(Routes);

impl App for Snapshots {
    type Poll = Poll;

    const POLL_PATH: &'static str = poll::PATH;
    const POLL_HEADERS: &'static [&'static str] = &headers::READ;

    fn read_poll(&self, query: &str, headers: &HeaderMap, client: Client) -> Result<Poll, Box<Response>> {
        Poll::read(&self.0.served, query, headers, client)
            .map_err(|problem| Box::new(problem.into_response()))
    }

    fn answer_poll(&self, poll: Poll, hold: Hold<'_>) -> impl Future<Output = Answer> + Send {
        let wait = poll.wait;
        poll.answer(&self.0.served, |expiry| hold.until(expiry)).map(move |answer| match answer {
            Ok(snapshot::Answer::Full(body, revision)) => full(body, &revision, wait),
            Ok(snapshot::Answer::NotModified(etag, revision)) => not_modified(&etag, &revision, wait),
            Ok(rare) => Answer::Response(snapshot::respond(rare, wait)),
            Err(problem) => Answer::Response(problem.into_response()),
        })
    }

    fn router(&self) -> &Router {
        &self.0.router
    }

    fn refuse(&self, request: &Request) -> Option<Response> {
        (!self.fits(request)).then(|| answer_headers::with(Problem::too_large().into_response()))
    }

    fn is_probe(&self, request: &Request) -> bool {
        let path = request.uri().path();
        let is_one = PROBES.contains(&path) || path.starts_with(istio::PATHS);
        matches!(*request.method(), Method::GET | Method::HEAD) && is_one
    }

    fn busy(&self) -> Response {
        let detail = "this replica serves as many as it can";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
        answer_headers::with(([(header::RETRY_AFTER, RETRY_AFTER)], problem).into_response())
    }

    fn is_shutting_down(&self) -> bool {
        self.0.served.shutdown.is_requested()
    }

    fn shutdown(&self) -> impl Future<Output = ()> + Send {
        self.0.served.shutdown.requested()
    }
}

fn full(body: Body, revision: &Revision, wait: Option<Wait>) -> Answer {
    let mut head = Head::new(StatusCode::OK);
    head.header("content-type", body.format.media_type());
    validators(&mut head, &body.digest.etag(), revision, wait);
    Answer::Written { head, body: body.bytes }
}

fn not_modified(etag: &str, revision: &Revision, wait: Option<Wait>) -> Answer {
    let mut head = Head::new(StatusCode::NOT_MODIFIED);
    validators(&mut head, etag, revision, wait);
    Answer::Written { head, body: bytes::Bytes::new() }
}

fn validators(head: &mut Head, etag: &str, revision: &Revision, wait: Option<Wait>) {
    head.header("etag", etag);
    head.header(REVISION.as_str(), revision.as_str());
    head.header("vary", VARY);
    head.header("cache-control", "no-cache");
    if let Some(wait) = wait {
        head.header(PREFERENCE_APPLIED.as_str(), &wait.to_string());
    }
}

impl Snapshots {
    /// Tells whether the body that a request announces is accepted. The routes of notifications and of changes check
    /// their own, because they tell of those that are too long.
    fn fits(&self, request: &Request) -> bool {
        let path = request.uri().path();
        let is_change =
            matches!(*request.method(), Method::POST | Method::PUT) && path.starts_with("/v1/policies");
        let is_told =
            path.starts_with("/v1/hooks/") || (is_change && self.0.served.services.writing.is_some());
        request.body().size_hint().lower() <= MAX_BODY as u64 || is_told
    }
}
