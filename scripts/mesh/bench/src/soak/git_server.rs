//! A Git server that can be killed, and comes back at the same address.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Result;
use harness::{GitHttp, loopback};
use tokio::runtime::{Builder, Runtime};

#[derive(Debug)]
pub(super) struct GitServer {
    folder: PathBuf,
    address: SocketAddr,
    running: Option<Running>,
}

/// It has a runtime of its own, so that all its connections and processes end with it.
#[derive(Debug)]
struct Running {
    runtime: Option<Runtime>,
    _server: GitHttp,
}

impl GitServer {
    pub(super) async fn start(folder: &Path) -> Result<Self> {
        let mut server = Self { folder: folder.to_owned(), address: loopback(), running: None };
        server.up().await?;
        Ok(server)
    }

    pub(super) fn url(&self, repository: &str) -> String {
        format!("http://{}/{repository}", self.address)
    }

    pub(super) fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// Ends it, and every request under way with it.
    pub(super) fn kill(&mut self) {
        self.running = None;
    }

    /// Starts it, unless it runs.
    pub(super) async fn up(&mut self) -> Result<()> {
        if self.running.is_none() {
            let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
            let (folder, address) = (self.folder.clone(), self.address);
            let server = runtime.spawn(async move { GitHttp::start_at(&folder, address).await }).await??;
            self.address = server.address();
            self.running = Some(Running { runtime: Some(runtime), _server: server });
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Not waited for: this runs inside another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
