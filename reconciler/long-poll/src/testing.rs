//! An application for tests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Extension, Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use tokio::{io::DuplexStream, sync::watch, time::Instant};

use crate::{Answer, App, Bounded, Client, Head, Hold, Request, stream::Transport};

/// The body of every poll's answer, longer than a small pipe.
pub(crate) const BODY: &str = "a snapshot of policies; a snapshot of policies; a snapshot of policies; \
                               a snapshot of policies; a snapshot of policies; a snapshot of policies";
/// A body that is larger than any window of a test.
pub(crate) const LARGE: usize = 20_000;

impl Transport for DuplexStream {
    const ENDS_WITH_A_MESSAGE: bool = false;
}

/// Holds a poll that has `if-none-match` for as long as its `prefer: wait=SECONDS` says.
#[derive(Debug)]
pub(crate) struct Fake {
    router: Router,
    shutdown: watch::Receiver<bool>,
    pub(crate) held: Arc<AtomicUsize>,
}

#[derive(Debug)]
pub(crate) struct Wait(Option<Duration>);

impl Fake {
    /// With what shuts it down.
    pub(crate) fn new() -> (Self, watch::Sender<bool>) {
        let (sender, shutdown) = watch::channel(false);
        let router = Router::new()
            .route("/poll", get(|| async { BODY }))
            .route("/other", get(|| async { "another answer" }))
            .route("/large", get(|| async { "x".repeat(LARGE) }))
            .route("/bounded", get(|| async { (Extension(Bounded), "x".repeat(LARGE)) }))
            .route("/echo", post(|body: Bytes| async move { body }))
            .route("/closes", get(|| async { ([("connection", "close")], "the last answer") }));
        (Self { router, shutdown, held: Arc::default() }, sender)
    }
}

struct Holding(Arc<AtomicUsize>);

impl Holding {
    fn new(held: &Arc<AtomicUsize>) -> Self {
        held.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(held))
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl App for Fake {
    type Poll = Wait;

    const POLL_PATH: &'static str = "/poll";
    const POLL_HEADERS: &'static [&'static str] = &["if-none-match", "prefer"];

    fn read_poll(&self, query: &str, headers: &HeaderMap, _: Client) -> Result<Wait, Box<Response>> {
        if query == "bad" {
            return Err(Box::new((StatusCode::BAD_REQUEST, "a bad query").into_response()));
        }
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let wait = header("prefer").and_then(|prefer| prefer.strip_prefix("wait=")?.parse().ok());
        Ok(Wait(header("if-none-match").map(|_| Duration::from_secs(wait.unwrap_or(0)))))
    }

    async fn answer_poll(&self, Wait(wait): Wait, hold: Hold<'_>) -> Answer {
        let Some(wait) = wait else {
            return Answer::Written { head: Head::new(StatusCode::OK), body: BODY.into() };
        };
        let _holding = Holding::new(&self.held);
        hold.until(Instant::now() + wait).await;
        let mut head = Head::new(StatusCode::NOT_MODIFIED);
        head.header("waited", &wait.as_secs().to_string());
        Answer::Written { head, body: Bytes::new() }
    }

    fn router(&self) -> &Router {
        &self.router
    }

    fn refuse(&self, request: &Request) -> Option<Response> {
        (request.uri().path() == "/refused").then(|| StatusCode::PAYLOAD_TOO_LARGE.into_response())
    }

    fn is_probe(&self, request: &Request) -> bool {
        request.uri().path() == "/other"
    }

    fn busy(&self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, "busy").into_response()
    }

    fn is_shutting_down(&self) -> bool {
        *self.shutdown.borrow()
    }

    async fn shutdown(&self) {
        let _ = self.shutdown.clone().wait_for(|requested| *requested).await;
    }
}
