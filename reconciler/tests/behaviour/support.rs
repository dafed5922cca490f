//! A reconciler in this process, on a port of its own, and a client that asks it.

pub(crate) mod archive_server;
pub(crate) mod artifacts;
pub(crate) mod browser;
pub(crate) mod chance;
pub(crate) mod children;
pub(crate) mod cluster;
pub(crate) mod command;
pub(crate) mod filter;
pub(crate) mod flux;
pub(crate) mod front;
pub(crate) mod git_steps;
pub(crate) mod halting;
pub(crate) mod held_pushes;
pub(crate) mod history;
pub(crate) mod links;
pub(crate) mod lossy;
pub(crate) mod person;
pub(crate) mod plans;
pub(crate) mod plumbing;
pub(crate) mod process;
pub(crate) mod remote;
pub(crate) mod replicas;
pub(crate) mod signed_team;
pub(crate) mod signing;
pub(crate) mod stranger;
pub(crate) mod way;
pub(crate) mod writer;
pub(crate) mod writing;

use std::{path::Path, time::Duration};

use reconciler::{
    assembly::{ControlPlane, Options, Running},
    shutdown::{self, Trigger},
    source::Settings,
};
use reqwest::{Response, StatusCode};
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};

/// The time that an effect may take before it is taken for missing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Longer than any test: what happens sooner was noticed.
pub(crate) const NEVER: Duration = Duration::from_secs(3_600);

/// A running reconciler. Ends when it is dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
    pub(crate) trigger: Trigger,
    pub(crate) serving: JoinHandle<std::io::Result<()>>,
    /// The router that it serves, without the connections.
    pub(crate) router: axum::Router,
}

/// An answer to `GET /v1/snapshot`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) status: u16,
    pub(crate) etag: String,
    pub(crate) revision: String,
    pub(crate) body: Vec<u8>,
}

impl Server {
    pub(crate) async fn start(settings: Settings, interval: Duration) -> Self {
        let (trigger, shutdown) = shutdown::channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let plane = ControlPlane::new(Options::new(settings, interval)).unwrap();
        let Running { serving, routes, .. } = plane.start(listener, &shutdown).unwrap();
        Self { url, client: client(), trigger, serving, router: routes.router }
    }

    /// Follows a directory, and waits until it is ready.
    pub(crate) async fn of_folder(folder: &Path) -> Self {
        let server = Self::start(Settings::Dir(folder.to_owned()), NEVER).await;
        server.until_ready().await;
        server
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let request = self.client.get(format!("{}{path}", self.url));
        headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value))
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn until_ready(&self) {
        let ready = async {
            while self.get("/v1/ready", &[]).await.status() != StatusCode::OK {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, ready).await.expect("never ready");
    }

    pub(crate) async fn snapshot(&self, query: &str, headers: &[(&str, &str)]) -> Snapshot {
        let response = self.get(&format!("/v1/snapshot?{query}"), headers).await;
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (etag, revision) =
            (header("etag").unwrap_or_default(), header("x-hfi-revision").unwrap_or_default());
        let status = response.status().as_u16();
        Snapshot { status, etag, revision, body: response.bytes().await.unwrap().to_vec() }
    }

    /// The next snapshot that is not the one of `etag`.
    pub(crate) async fn next(&self, query: &str, etag: &str) -> Snapshot {
        let headers = [("if-none-match", etag), ("prefer", "wait=60")];
        timeout(PATIENCE, self.snapshot(query, &headers)).await.expect("nothing changed")
    }

    pub(crate) async fn json(&self, path: &str) -> serde_json::Value {
        let response = self.get(path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }

    /// The value of a metric, named with its labels.
    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        metric(&self.client, &self.url, name).await
    }

    /// The names of the policies in force.
    pub(crate) async fn names(&self) -> Vec<String> {
        let list = self.json("/v1/policies").await;
        let names = list["policies"].as_array().unwrap().iter();
        names.map(|policy| policy["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// A client for servers on this machine.
pub(crate) fn client() -> reqwest::Client {
    harness::http_client().unwrap().build().unwrap()
}

/// The value of a metric of the reconciler at `url`.
pub(crate) async fn metric(client: &reqwest::Client, url: &str, name: &str) -> Option<f64> {
    let text = client.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
    let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(' ')?.parse().unwrap());
    text.lines().find_map(value)
}

/// Runs `hfi` in a directory: its exit code and what it printed on stdout.
pub(crate) fn hfi(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let mut hfi = std::process::Command::new(env!("CARGO_BIN_EXE_hfi"));
    let output = hfi.current_dir(directory).args(arguments).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// A policy that aborts everything at `service` in `demo`.
pub(crate) fn policy(name: &str, service: &str, status: u16) -> String {
    format!(
        "metadata: {{name: {name}}}\nspec: {{selector: {{service: {service}, namespace: demo}}, rules: [{{fault: {{percentage: 100, abort: {{httpStatus: {status}}}}}}}]}}\n"
    )
}
