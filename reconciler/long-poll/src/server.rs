//! The state that all connections share.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::limits::{MAX_REQUESTS, MAX_UNSHARED};

/// The application, and what is left of the limits.
#[derive(Debug)]
pub(crate) struct Server<A> {
    pub(crate) app: A,
    /// One permit for each request that may be open at once, plain polls apart.
    pub(crate) requests: Arc<Semaphore>,
    /// One permit for each byte of answers that are made for one request.
    pub(crate) unshared: Arc<Semaphore>,
}

impl<A> Server<A> {
    pub(crate) fn new(app: A) -> Self {
        let requests = Arc::new(Semaphore::new(MAX_REQUESTS));
        Self { app, requests, unshared: Arc::new(Semaphore::new(MAX_UNSHARED as usize)) }
    }
}
