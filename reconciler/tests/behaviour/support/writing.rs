//! A reconciler that takes changes, and clients that send them.

use std::{path::Path, time::Duration};

use harness::Repository;
use policies::language::Guardrail;
use reconciler::{
    access::token_file::TokenFile,
    assembly::{ControlPlane, Options, Running, WriteOptions},
    shutdown,
    source::{Settings, writing::WriterSettings},
    writes::settings,
};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::{
    NEVER, Server, client,
    process::{Process, text},
    remote,
};

/// A token for each kind of user.
pub(crate) const ALICE: &str = "alice-0123456789abcdef";
pub(crate) const TOKENS: &str = "\
alice alice-0123456789abcdef
shop shop-0123456789abcdef folder=teams/shop namespaces=shop-*,shop
first first-0123456789abcdef default-namespace=demo
wild wild-0123456789abcdef wildcard resume
";

/// A policy as a person writes it.
pub(crate) const CHECKOUT: &str = "\
# The policy of the game day.
metadata: {name: a}
spec:
  selector: {service: checkout, namespace: demo}   # here
  rules:
    - fault: {percentage: 100, abort: {httpStatus: 503}}
";

/// A replica that takes changes.
pub(crate) struct Replica {
    pub(crate) server: Server,
    pub(crate) tokens: TempDir,
}

/// The answer to a change.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    pub(crate) body: Value,
}

/// A request that changes something.
#[derive(Clone, Debug)]
pub(crate) struct Change<'a> {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) token: &'a str,
    pub(crate) headers: Vec<(&'a str, String)>,
    pub(crate) body: String,
}

impl Replica {
    /// Follows and writes to the branch `main` of a repository, as its URL or path names it.
    pub(crate) async fn of(url: &str) -> Self {
        Self::with(url, NEVER, |_| {}).await
    }

    pub(crate) async fn with(url: &str, interval: Duration, change: impl FnOnce(&mut WriteOptions)) -> Self {
        let settings = remote::following(url, &remote::access());
        Self::start(settings, interval, change).await
    }

    pub(crate) async fn start(
        followed: Settings,
        interval: Duration,
        change: impl FnOnce(&mut WriteOptions),
    ) -> Self {
        let tokens = tempfile::tempdir().unwrap();
        let path = tokens.path().join("tokens");
        std::fs::write(&path, TOKENS).unwrap();
        let Settings::Git { repository, path: directory, access, .. } = followed.clone() else {
            panic!("no Git")
        };
        let writer = WriterSettings {
            repository,
            branch: "main".parse().unwrap(),
            path: directory,
            access: *access,
            signing_key: None,
        };
        let settings =
            settings::Settings { writer, author: None, write_branch: None, server: Guardrail::default() };
        let tokens_file = TokenFile::open(path, "--write-token-file").unwrap();
        let mut writes = WriteOptions { settings, tokens: tokens_file, rate: 10_000 };
        change(&mut writes);
        let (trigger, shutdown) = shutdown::channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let options = Options { writes: Some(writes), ..Options::new(followed, interval) };
        let Running { serving, routes, .. } =
            ControlPlane::new(options).unwrap().start(listener, &shutdown).unwrap();
        let server = Server { url, client: client(), trigger, serving, router: routes.router };
        server.until_ready().await;
        Self { server, tokens }
    }

    pub(crate) async fn send(&self, change: Change<'_>) -> Answer {
        send(&self.server.client, &self.server.url, change).await.unwrap()
    }

    /// Applies YAML as alice; `query` begins with its question mark, or is empty.
    pub(crate) async fn apply(&self, query: &str, yaml: &str) -> Answer {
        self.send(apply(query, yaml)).await
    }

    pub(crate) async fn delete(&self, name: &str) -> Answer {
        self.send(delete(name)).await
    }

    /// A policy as it was written, and its entity tag.
    pub(crate) async fn policy(&self, name: &str) -> (Value, String) {
        let response = self.server.get(&format!("/v1/policies/{name}?all=true"), &[]).await;
        assert_eq!(response.status().as_u16(), 200, "{name}");
        let etag = response.headers()["etag"].to_str().unwrap().to_owned();
        (serde_json::from_slice(&response.bytes().await.unwrap()).unwrap(), etag)
    }
}

/// Sends a change to a server, which may end meanwhile.
pub(crate) async fn send(client: &reqwest::Client, url: &str, change: Change<'_>) -> reqwest::Result<Answer> {
    let Change { method, path, token, headers, body } = change;
    let request = client.request(method, format!("{url}{path}"));
    let request = if token.is_empty() { request } else { request.bearer_auth(token) };
    let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    let response = request.body(body).send().await?;
    let (status, etag) = (response.status().as_u16(), response.headers().get("etag").cloned());
    let etag = etag.map(|etag| etag.to_str().unwrap().to_owned());
    let body = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
    Ok(Answer { status, etag, body })
}

/// A change whose client waits so long.
pub(crate) fn waiting(seconds: u32, yaml: &str) -> Change<'static> {
    let mut change = apply("", yaml);
    change.headers.push(("prefer", format!("wait={seconds}")));
    change
}

/// A process that takes changes of the branch `main` of a repository, with the tokens in a file of this directory.
pub(crate) async fn process(url: &str, tokens: &Path, more: &[(&str, &str)]) -> Process {
    // It does nothing but start another.
    process_within(std::process::Command::new("env"), url, tokens, more).await
}

/// The same, started by a command that becomes what its last arguments say.
pub(crate) async fn process_within(
    within: std::process::Command,
    url: &str,
    tokens: &Path,
    more: &[(&str, &str)],
) -> Process {
    let file = tokens.join("tokens");
    std::fs::write(&file, TOKENS).unwrap();
    let usual = [
        ("HFI_REPO", url),
        ("HFI_BRANCH", "main"),
        ("HFI_INTERVAL", "1s"),
        ("HFI_WRITE_RATE", "10000"),
        ("HFI_WRITE_TOKEN_FILE", text(&file)),
    ];
    Process::start_within(within, &[&usual, more].concat()).await
}

pub(crate) fn apply<'a>(query: &str, yaml: &str) -> Change<'a> {
    Change {
        method: Method::POST,
        path: format!("/v1/policies{query}"),
        token: ALICE,
        headers: vec![("content-type", "application/yaml".to_owned())],
        body: yaml.to_owned(),
    }
}

pub(crate) fn delete<'a>(name: &str) -> Change<'a> {
    let path = format!("/v1/policies/{name}");
    Change { method: Method::DELETE, path, token: ALICE, headers: Vec::new(), body: String::new() }
}

impl Answer {
    /// The results of the policies, `NAME RESULT` each.
    pub(crate) fn results(&self) -> Vec<String> {
        let policies = self.body["policies"].as_array().unwrap_or_else(|| panic!("{self:?}")).iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        policies.map(|policy| format!("{} {}", text(&policy["name"]), text(&policy["result"]))).collect()
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16, results: &[&str]) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.results(), results, "{self:?}");
    }

    #[track_caller]
    pub(crate) fn is_refused(&self, status: u16, reason: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let said = self.body.to_string();
        assert!(said.contains(reason), "{reason}: {self:?}");
    }

    pub(crate) fn commit(&self) -> String {
        self.body["commit"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }
}

/// A repository with these files, and its path.
pub(crate) async fn repository(files: &[(&str, &str)]) -> Repository {
    let repository = Repository::new().await.unwrap();
    for (file, text) in files {
        repository.write(file, text).unwrap();
    }
    repository.push("Add policies").await.unwrap_or_else(|error| panic!("{error:#}"));
    repository
}

/// The content of a file at the end of the branch.
pub(crate) fn content(repository: &Repository, file: &str) -> String {
    git(repository, &["show", &format!("main:{file}")])
}

/// Runs git in the bare repository.
pub(crate) fn git(repository: &Repository, arguments: &[&str]) -> String {
    let bare = repository.bare();
    let output = std::process::Command::new("git").arg("-C").arg(&bare).args(arguments).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn path(repository: &Repository) -> String {
    path_of(&repository.bare())
}

fn path_of(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
