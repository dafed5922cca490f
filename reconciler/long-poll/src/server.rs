//! The state that all connections share.

use std::sync::Arc;

use crate::{
    budget::Budget,
    limits::{MAX_REQUESTS, MAX_UNSHARED},
};

/// The application, and what is left of the limits.
#[derive(Debug)]
pub(crate) struct Server<A> {
    pub(crate) app: A,
    /// The requests that may be open at once, plain polls apart.
    pub(crate) requests: Arc<Budget>,
    /// The bytes of answers that are made for one request.
    pub(crate) unshared: Arc<Budget>,
}

impl<A> Server<A> {
    pub(crate) fn new(app: A) -> Self {
        Self { app, requests: Budget::new(MAX_REQUESTS), unshared: Budget::new(MAX_UNSHARED) }
    }
}
