//! The chat of the people on call: keeps what it is sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::extract::State;
use harness::loopback;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The messages so far.
type Messages = Arc<Mutex<Vec<String>>>;

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Chat {
    pub(super) address: SocketAddr,
    messages: Messages,
    task: JoinHandle<()>,
}

impl Chat {
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind(loopback()).await?;
        let address = listener.local_addr()?;
        let messages = Messages::default();
        let router = Router::new().fallback(keep).with_state(Arc::clone(&messages));
        let task = tokio::spawn(async move {
            // Only a listener that breaks ends this, and then every message is missing.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, messages, task })
    }

    /// The bodies of all requests so far.
    pub(crate) fn messages(&self) -> Vec<String> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(State(messages): State<Messages>, message: String) {
    messages.lock().unwrap_or_else(PoisonError::into_inner).push(message);
}
