//! Replicas that ask each other: processes at addresses of their own, at one port.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::timeout;

use super::{
    PATIENCE,
    process::{Process, text},
};

const PORT: u16 = 18_080;

/// The token by which replicas know each other.
pub(crate) const TOKEN: &str = "replicas-0123456789abcdef";

/// The addresses of some replicas, and their files.
pub(crate) struct Replicas {
    pub(crate) files: TempDir,
    /// An address for each, of a network that no other test has.
    pub(crate) addresses: Vec<String>,
}

impl Replicas {
    /// Starts none yet. They share a directory of policies, and a token.
    pub(crate) fn new(count: u16) -> Self {
        static NETWORKS: AtomicU16 = AtomicU16::new(0);
        // Another run of the tests may go on beside this one.
        let (process, network) = (std::process::id() % 200 + 20, NETWORKS.fetch_add(1, Ordering::Relaxed));
        let addresses = (1..=count).map(|host| format!("127.{process}.{network}.{host}:{PORT}")).collect();
        let files = tempfile::tempdir().unwrap();
        fs::create_dir(files.path().join("policies")).unwrap();
        fs::write(files.path().join("tokens"), format!("replicas {TOKEN}\n")).unwrap();
        Self { files, addresses }
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.files.path().join(file)
    }

    /// Starts one of them, and waits until it is ready.
    pub(crate) async fn start(&self, at: usize) -> Process {
        let replica = self.start_with(at, "tokens", &[("HFI_DIR", text(&self.path("policies")))]).await;
        replica.until_ready(|_| true).await;
        replica
    }

    /// The same with this file of tokens, and these variables.
    pub(crate) async fn start_with(&self, at: usize, tokens: &str, variables: &[(&str, &str)]) -> Process {
        let (peers, tokens) = (self.addresses.join(","), self.path(tokens));
        let usual = [
            ("HFI_LISTEN", self.addresses[at].as_str()),
            ("HFI_PEERS", &peers),
            ("HFI_PEER_TOKEN_FILE", text(&tokens)),
        ];
        Process::start(&[&usual[..], variables].concat()).await
    }
}

/// The answer at a path, once it is as wanted: for a second, what replicas said before holds.
pub(crate) async fn until(replica: &Process, path: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    let wanted = async {
        loop {
            last = replica.json(path).await;
            if is_wanted(&last) {
                return last.take();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let wanted = timeout(PATIENCE, wanted).await;
    wanted.unwrap_or_else(|_| panic!("not in time: {last}\n{}", replica.log()))
}

/// The first reason for which a replica is missing, once there is one that has these words.
pub(crate) async fn missing(replica: &Process, words: &str) -> Value {
    let has_words =
        |answer: &Value| answer["missing"][0]["error"].as_str().is_some_and(|why| why.contains(words));
    until(replica, "/v1/filters", has_words).await
}
