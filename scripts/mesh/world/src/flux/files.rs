//! A server of the files of a directory.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Result;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use harness::loopback;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Files {
    /// Serves what the directory has at the time of each request.
    pub(super) async fn serve(directory: &Path) -> Result<Self> {
        let listener = TcpListener::bind(loopback()).await?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(file).with_state(directory.to_owned());
        let task = tokio::spawn(async move {
            // Only a listener that breaks ends this, and then every request shows it.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn file(State(directory): State<PathBuf>, uri: Uri) -> Result<Vec<u8>, StatusCode> {
    let path = directory.join(uri.path().trim_start_matches('/'));
    std::fs::read(path).map_err(|_| StatusCode::NOT_FOUND)
}
