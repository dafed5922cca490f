//! The application behind the connections.

use axum::{
    Router,
    http::{self, HeaderMap},
    response::Response,
};
use hyper::body::Incoming;

use crate::{client::Client, hold::Hold, http1_response::Answer};

/// A request that is not a plain poll.
pub type Request = http::Request<Incoming>;

/// Answers polls and all other requests.
pub trait App: Send + Sync + 'static {
    /// A poll that has been read. Small, because it is kept while the poll is held.
    type Poll: Send;

    /// The path of polls.
    const POLL_PATH: &'static str;
    /// The headers that [`read_poll`](Self::read_poll) gets, in lower case; the others are dropped.
    const POLL_HEADERS: &'static [&'static str];

    /// Reads a plain poll of a client. An error is its answer.
    fn read_poll(
        &self,
        query: &str,
        headers: &HeaderMap,
        client: Client,
    ) -> Result<Self::Poll, Box<Response>>;

    /// Answers a poll, at once or after a [`Hold`].
    fn answer_poll(&self, poll: Self::Poll, hold: Hold<'_>) -> impl Future<Output = Answer> + Send;

    /// Answers all other requests. They have their [`Client`] as an extension.
    fn router(&self) -> &Router;

    /// Refuses a request before it reaches the router.
    fn refuse(&self, request: &Request) -> Option<Response>;

    /// Tells whether a request is answered even over a limit, such as a probe of the process.
    fn is_probe(&self, request: &Request) -> bool;

    /// The answer to a request over a limit.
    fn busy(&self) -> Response;

    /// Tells whether the server shuts down.
    fn is_shutting_down(&self) -> bool;

    /// Ends when the server shuts down.
    fn shutdown(&self) -> impl Future<Output = ()> + Send;
}

/// Marks a response, as an extension, whose body is kept in memory in any case.
#[derive(Clone, Copy, Debug)]
pub struct Shared;

/// Marks a response, as an extension, whose client must take all of it soon: its connection is closed otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Bounded;
