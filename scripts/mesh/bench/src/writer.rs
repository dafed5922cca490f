//! A reconciler that takes changes by HTTP, and the changes.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use harness::{Answer, Client, GitHttp, Reconciler, Repository, Request, Source, loopback};
use reqwest::Method;
use tempfile::TempDir;

const TOKEN: &str = "bench-0123456789abcdef";

/// The way to the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Path,
    Http,
}

impl Transport {
    pub(crate) const ALL: [(Self, &str); 2] = [(Self::Path, "a path"), (Self::Http, "HTTP")];
}

/// The repository as a reconciler and others push to it, and what must be kept for that.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) url: String,
    tokens: TempDir,
    _server: Option<GitHttp>,
}

impl Origin {
    pub(crate) async fn of(repository: &Repository, transport: Transport) -> Result<Self> {
        let bare = repository.bare();
        let bare = bare.to_str().context("a path of UTF-8")?;
        let (url, server) = match transport {
            Transport::Path => (bare.to_owned(), None),
            Transport::Http => {
                repository.git(&["-C", bare, "config", "http.receivepack", "true"]).await?;
                let server = GitHttp::start(repository.folder()).await?;
                (server.url("policies.git"), Some(server))
            }
        };
        let tokens = tempfile::tempdir()?;
        std::fs::write(token_file(tokens.path()), format!("bench {TOKEN}\n"))?;
        Ok(Self { url, tokens, _server: server })
    }

    /// A reconciler that follows the repository, and pushes changes to it.
    pub(crate) async fn reconciler(&self) -> Result<Reconciler> {
        let source = Source::Git { repository: (&self.url).into(), interval: "30s" };
        let tokens = token_file(self.tokens.path());
        let options = vec!["--write-token-file".into(), tokens.into(), "--write-rate".into(), "10000".into()];
        Reconciler::start_with(source, loopback(), options).await
    }
}

fn token_file(folder: &Path) -> std::path::PathBuf {
    folder.join("tokens")
}

/// A policy of one rule, that aborts with this status.
pub(crate) fn policy(name: &str, service: &str, status: u16) -> String {
    format!(
        "
metadata: {{name: {name}}}
spec:
  selector: {{service: {service}, namespace: demo}}
  rules: [{{fault: {{percentage: 100, abort: {{httpStatus: {status}}}}}}}]
"
    )
}

/// The request that writes a policy.
pub(crate) fn put(name: &str, text: &str) -> Request {
    change(Method::PUT, name).header("content-type", "application/yaml").body(text.as_bytes().to_vec())
}

/// The request that removes one.
pub(crate) fn delete(name: &str) -> Request {
    change(Method::DELETE, name)
}

fn change(method: Method, name: &str) -> Request {
    let path = format!("/v1/policies/{name}");
    Request::get(&path).method(method).header("authorization", &format!("Bearer {TOKEN}"))
}

/// Sends a change; it is an error if that is not made.
pub(crate) async fn send(client: &Client, reconciler: &Reconciler, change: &Request) -> Result<Answer> {
    let answer = client.send(reconciler.address(), change).await?;
    ensure!(answer.status.is_success(), "{}: {}", answer.status, answer.body);
    Ok(answer)
}
