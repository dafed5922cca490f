//! A process whose pushes wait, and clients that leave meanwhile.

use std::{fs, path::PathBuf};

use harness::{GitHttp, Repository};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Duration, timeout};

use super::{
    PATIENCE, client, policy,
    process::Process,
    writer::{hook, over_http},
    writing::{process, send, waiting},
};

/// A process whose pushes wait while a file is there.
pub(crate) struct World {
    pub(crate) repository: Repository,
    _server: GitHttp,
    _tokens: TempDir,
    pub(crate) hfi: Process,
    pub(crate) hold: PathBuf,
    pub(crate) begun: PathBuf,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With these variables beside the usual ones.
    pub(crate) async fn with(more: &[(&str, &str)]) -> Self {
        let (repository, server) = over_http().await;
        let [hold, begun] = ["hold", "begun"].map(|name| repository.folder().join(name));
        fs::write(&hold, "").unwrap();
        let (held, told) = (hold.display(), begun.display());
        hook(&repository, "pre-receive", &format!("touch {told}\nwhile [ -e {held} ]; do sleep 0.02; done"));
        let tokens = tempfile::tempdir().unwrap();
        let hfi = process(&server.url("policies.git"), tokens.path(), more).await;
        hfi.until_ready(|_| true).await;
        Self { repository, _server: server, _tokens: tokens, hfi, hold, begun }
    }

    /// Sends a change, and leaves once this is so.
    pub(crate) async fn leave_when(&self, name: &str, is_so: impl Fn() -> bool) {
        self.leave_with(&policy(name, "web", 500), is_so).await;
    }

    /// The same with a policy as it is written.
    pub(crate) async fn leave_with(&self, body: &str, is_so: impl Fn() -> bool) {
        let client = client();
        let sending = send(&client, &self.hfi.url, waiting(60, body));
        tokio::select! {
            answer = sending => panic!("{answer:?}"),
            () = until(is_so) => {}
        }
    }

    /// The first line with this message that tells this.
    pub(crate) async fn told(&self, message: &str, field: &str, value: &str) -> Value {
        let find = || {
            let mut said = self.hfi.all_said(message).into_iter();
            said.find(|line| line[field].as_str().is_some_and(|told| told.contains(value)))
        };
        let found = timeout(PATIENCE, until(|| find().is_some())).await;
        found.unwrap_or_else(|_| panic!("{message} {field}={value}: {}", self.hfi.log()));
        find().unwrap()
    }
}

pub(crate) async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
