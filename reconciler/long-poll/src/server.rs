//! The state that all connections share.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::{
    budget::Budget,
    limits::{MAX_EXTRA_REQUESTS, MAX_HTTP2_CONNECTIONS, MAX_REQUESTS, MAX_UNSHARED},
    places::Places,
};

/// The application, and what is left of the limits.
#[derive(Debug)]
pub(crate) struct Server<A> {
    pub(crate) app: A,
    /// The requests that may be open at once, plain polls apart.
    pub(crate) requests: Arc<Budget>,
    /// The requests beyond a limit that may still be open at once.
    pub(crate) extra: Arc<Budget>,
    /// The bytes of answers that are made for one request.
    pub(crate) unshared: Arc<Budget>,
    /// The connections of HTTP/2 that may be open at once.
    pub(crate) http2: Arc<Places<Arc<Notify>>>,
}

impl<A> Server<A> {
    pub(crate) fn new(app: A) -> Self {
        Self {
            app,
            requests: Budget::new(MAX_REQUESTS),
            extra: Budget::new(MAX_EXTRA_REQUESTS),
            unshared: Budget::new(MAX_UNSHARED),
            http2: Places::new(MAX_HTTP2_CONNECTIONS),
        }
    }
}
