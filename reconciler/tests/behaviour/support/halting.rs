//! Halts by HTTP, and processes whose users may only halt.

use std::{fs, path::PathBuf};

use policies::Snapshot;
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Duration, sleep, timeout};

use super::{
    PATIENCE,
    process::{Process, text},
    writing::{ALICE, Answer, CHECKOUT, Change, Replica},
};

pub(crate) const SCOPE: &str = "namespace=demo&service=checkout";
pub(crate) const RESUMES: &str = "wild-0123456789abcdef";
pub(crate) const STOPS: &str = "stops-0123456789abcdef";
pub(crate) const VIEWS: &str = "views-0123456789abcdef";

pub(crate) fn request<'a>(method: Method, token: &'a str, body: &str) -> Change<'a> {
    let headers = vec![("content-type", "application/json".to_owned()), ("prefer", "wait=9".to_owned())];
    Change { method, path: "/v1/halt".to_owned(), token, headers, body: body.to_owned() }
}

pub(crate) async fn halt(replica: &Replica) -> Answer {
    replica.send(request(Method::POST, ALICE, r#"{"reason": "checkout is down"}"#)).await
}

pub(crate) async fn resume(replica: &Replica, token: &str) -> Answer {
    replica.send(request(Method::DELETE, token, "")).await
}

/// The number of policies in the snapshot that a filter gets now.
pub(crate) async fn served(replica: &Replica) -> usize {
    Snapshot::decode(&replica.server.snapshot(SCOPE, &[]).await.body).unwrap().policies.len()
}

/// The state of the halt, once it is as wanted.
pub(crate) async fn until(replica: &Replica, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let mut newest = Value::Null;
    let wanted = async {
        loop {
            newest = replica.server.json("/v1/halt").await;
            if is_wanted(&newest) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = timeout(PATIENCE, wanted).await.is_ok();
    assert!(in_time, "{newest}");
    newest
}

pub(crate) async fn in_git(replica: &Replica) -> Value {
    until(replica, |state| state["durable"] == "git").await
}

/// A directory of policies and the files of a server.
pub(crate) struct Files {
    directory: TempDir,
}

impl Files {
    pub(crate) fn new(tokens: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("policies")).unwrap();
        fs::write(directory.path().join("policies/a.yaml"), CHECKOUT).unwrap();
        fs::write(directory.path().join("tokens"), tokens).unwrap();
        Self { directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) async fn start(&self, others: &[(&str, &str)]) -> Process {
        let (policies, tokens) = (self.path("policies"), self.path("tokens"));
        let own = [("HFI_DIR", text(&policies)), ("HFI_HALT_TOKEN_FILE", text(&tokens))];
        Process::start(&[&own[..], others].concat()).await
    }
}

pub(crate) async fn post(process: &Process, token: &str) -> (u16, Value) {
    let client = crate::support::client();
    let request = client.post(format!("{}/v1/halt", process.url)).bearer_auth(token);
    let request = request.header("content-type", "application/json").body(r#"{"reason": "r"}"#);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

pub(crate) async fn is_empty(process: &Process) -> bool {
    Snapshot::decode(&process.snapshot(SCOPE).await.body).unwrap().policies.is_empty()
}

/// A server whose reads need a token.
pub(crate) async fn closed_reads() -> (Files, Process) {
    let files = Files::new(&format!("stop {STOPS}\n"));
    let view = files.path("view");
    fs::write(&view, format!("viewer {VIEWS}\n")).unwrap();
    let hfi = files.start(&[("HFI_VIEW_TOKEN_FILE", text(&view))]).await;
    hfi.until_ready(|_| true).await;
    (files, hfi)
}
