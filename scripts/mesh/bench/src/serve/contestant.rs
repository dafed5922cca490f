//! A server of snapshots, and one of files and messages.

use std::{env, fs, net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use harness::{Client, Nginx, Reconciler, Request, Source, loopback};
use reqwest::Method;
use tempfile::TempDir;

use super::crowd::Poll;
use crate::cores::Cores;

/// The path that the reconciler is asked for.
const SNAPSHOT: &str = "/v1/snapshot?namespace=demo&service=checkout";
/// The same bytes, as nginx has them in a file.
const FILE: &str = "snapshot";

/// The message that nchan publishes: about as long as the snapshot.
pub(crate) const MESSAGE: &str = "one message for all who wait, about as long as a snapshot";

/// A reconciler over a folder with one policy, or its routes behind hyper alone.
#[derive(Debug)]
pub(crate) struct Hfi {
    reconciler: Reconciler,
    folder: TempDir,
}

impl Hfi {
    pub(crate) async fn start(cores: Cores, client: &Client) -> Result<Self> {
        Self::started(cores, client, |source| Reconciler::start(source, loopback())).await
    }

    /// The same without the crate `long_poll`, in a process of this program.
    pub(crate) async fn behind_hyper_alone(cores: Cores, client: &Client) -> Result<Self> {
        Self::own(cores, client, "hyper-alone").await
    }

    /// The server that has nothing else to do than to answer.
    pub(crate) async fn floor(cores: Cores, client: &Client) -> Result<Self> {
        Self::own(cores, client, "floor").await
    }

    async fn own(cores: Cores, client: &Client, name: &str) -> Result<Self> {
        let command = vec![env::current_exe()?.into(), name.into()];
        Self::started(cores, client, |source| Reconciler::start_as(command, source, loopback())).await
    }

    async fn started<F: Future<Output = Result<Reconciler>>>(
        cores: Cores,
        client: &Client,
        start: impl FnOnce(Source) -> F,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        write_policy(folder.path(), 503)?;
        let mut reconciler = cores.start(start(Source::Folder(folder.path().to_owned()))).await?;
        reconciler.ready(client).await?;
        Ok(Self { reconciler, folder })
    }
}

/// A reconciler over a file of so many policies, each for a service of its own.
pub(crate) async fn with_policies(
    cores: Cores,
    client: &Client,
    policies: usize,
) -> Result<(TempDir, Reconciler)> {
    let folder = tempfile::tempdir()?;
    let policies: Vec<_> = (0..policies).map(policy).collect();
    fs::write(folder.path().join("policies.yaml"), policies.join("---\n"))?;
    let start = Reconciler::start(Source::Folder(folder.path().to_owned()), loopback());
    let mut reconciler = cores.start(start).await?;
    reconciler.ready(client).await?;
    Ok((folder, reconciler))
}

fn policy(number: usize) -> String {
    let selector = format!("selector: {{service: s{number}, namespace: demo}}");
    let rules = "rules: [{fault: {percentage: 30, abort: {httpStatus: 503}}}]";
    format!("metadata: {{name: p{number}}}\nspec: {{{selector}, {rules}}}\n")
}

fn write_policy(folder: &Path, status: usize) -> Result<()> {
    let selector = "selector: {service: checkout, namespace: demo}";
    let fault = format!("{{percentage: 100, abort: {{httpStatus: {status}}}}}");
    let policy =
        format!("metadata: {{name: checkout-errors}}\nspec: {{{selector}, rules: [{{fault: {fault}}}]}}\n");
    Ok(fs::write(folder.join("policy.yaml"), policy)?)
}

/// An nginx with a file of the same bytes, and with a channel for messages.
pub(crate) async fn nginx(cores: Cores, bytes: &str, directives: &str) -> Result<Nginx> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join(FILE), bytes)?;
    let nginx = Nginx::start(folder, Some("ngx_nchan_module"), |address, folder| {
        format!(
            "access_log off;\nsendfile on;\ntcp_nopush on;\nkeepalive_requests 1000000000;\n{directives}\n\
             server {{\nlisten {address} backlog=4096;\nroot {};\n\
             location /publish {{\nnchan_publisher;\nnchan_channel_id policies;\n}}\n\
             location /poll {{\nnchan_subscriber longpoll;\nnchan_channel_id policies;\n\
             nchan_subscriber_first_message newest;\nnchan_subscriber_timeout 300;\n}}\n}}\n",
            folder.display()
        )
    });
    cores.start(nginx).await
}

/// A running server, as far as both are alike.
#[derive(Debug)]
pub(crate) enum Server {
    Hfi(Hfi),
    Nginx(Nginx),
    /// See [`Hfi::floor`].
    Floor(Hfi),
}

impl Server {
    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Hfi(hfi) | Self::Floor(hfi) => hfi.reconciler.address(),
            Self::Nginx(nginx) => nginx.address(),
        }
    }

    pub(crate) fn memory(&self) -> Result<u64> {
        match self {
            Self::Hfi(hfi) | Self::Floor(hfi) => hfi.reconciler.memory(),
            Self::Nginx(nginx) => nginx.memory(),
        }
    }

    pub(crate) fn processor_time(&self) -> Result<Duration> {
        match self {
            Self::Hfi(hfi) | Self::Floor(hfi) => hfi.reconciler.processor_time(),
            Self::Nginx(nginx) => nginx.processor_time(),
        }
    }

    /// The path of the bytes that it serves.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Hfi(_) | Self::Floor(_) => SNAPSHOT.to_owned(),
            Self::Nginx(_) => format!("/{FILE}"),
        }
    }

    /// A request that is held.
    pub(super) async fn poll(&self, client: &Client) -> Result<Poll> {
        let (headers, known) = match self {
            Self::Hfi(_) => {
                let (_, etag) = self.content(client).await?;
                (format!("if-none-match: {etag}\r\nprefer: wait=300\r\n"), Some(("etag", etag)))
            }
            Self::Nginx(_) | Self::Floor(_) => (String::new(), None),
        };
        let path = if matches!(self, Self::Nginx(_)) { "/poll".to_owned() } else { self.path() };
        Ok(Poll { path, headers, known })
    }

    /// Lets all who are held have news.
    pub(crate) async fn change(&self, round: usize, client: &Client) -> Result<()> {
        match self {
            Self::Hfi(hfi) => write_policy(hfi.folder.path(), 500 + round % 2),
            Self::Nginx(_) | Self::Floor(_) => {
                let request = Request::get("/publish").method(Method::POST).body(MESSAGE.into());
                let published = client.send(self.address(), &request).await?;
                ensure!(published.status.is_success(), "it said {published:?}");
                Ok(())
            }
        }
    }

    /// The body that it serves, and its `ETag`.
    pub(crate) async fn content(&self, client: &Client) -> Result<(String, String)> {
        let answer = client.send(self.address(), &Request::get(&self.path())).await?;
        let etag = answer.header("etag").context("no ETag")?.to_owned();
        Ok((answer.body, etag))
    }
}
