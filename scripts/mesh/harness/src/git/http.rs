//! A Git server over HTTP: git's own `http-backend`, behind a bridge that speaks CGI to it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::system::loopback;

const LARGEST_REQUEST: usize = 16 << 20;

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct GitHttp {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl GitHttp {
    /// Serves, for reading, the repositories in the directory `folder`.
    pub async fn start(folder: &Path) -> Result<Self> {
        Self::start_at(folder, loopback()).await
    }

    /// The same at a certain address, such as that of one that was stopped.
    pub async fn start_at(folder: &Path, address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(answer).with_state(folder.to_owned());
        let task = tokio::spawn(async move {
            // Only a listener that breaks ends this, and then every request shows it.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }

    /// The address that it listens at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of one of the repositories.
    pub fn url(&self, repository: &str) -> String {
        format!("http://{}/{repository}", self.address)
    }
}

impl Drop for GitHttp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(folder): State<PathBuf>, request: Request) -> Response<Body> {
    backend(&folder, request).await.unwrap_or_else(|error| {
        let mut response = Response::new(Body::from(format!("{error:#}")));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

/// One request as one run of `git http-backend`.
async fn backend(folder: &Path, request: Request) -> Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_REQUEST).await?;
    let header = |name| text(&head.headers, name);
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("REQUEST_METHOD", head.method.as_str())
        .env("PATH_INFO", head.uri.path())
        .env("QUERY_STRING", head.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("starting git http-backend")?;
    let mut input = child.stdin.take().context("no input")?;
    // Beside the reading, or both would wait for each other on a full pipe.
    let (written, output) =
        tokio::join!(async move { input.write_all(&body).await }, child.wait_with_output());
    written?;
    response(&output?.stdout)
}

/// The output of a CGI program, as a response.
fn response(output: &[u8]) -> Result<Response<Body>> {
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").context("no header")?;
    let (head, body) = output.split_at(end);
    let mut response = Response::builder();
    for line in str::from_utf8(head)?.lines() {
        let (name, value) = line.split_once(": ").context("not a header line")?;
        response = match name {
            "Status" => response.status(value.get(..3).unwrap_or(value)),
            _ => response.header(name, value),
        };
    }
    Ok(response.body(Body::from(body.get(4..).unwrap_or_default().to_vec()))?)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
