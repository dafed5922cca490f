//! One question to a container, over the network or inside it.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::grpc;
use crate::process::Entry;
use crate::spec::check::Check;

/// Clients for all probes of a kubelet.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    http: Client,
    grpc: Client,
}

/// Asks one container.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) clients: Clients,
    pub(crate) entry: Entry,
}

impl Clients {
    pub(crate) fn new() -> Result<Self> {
        // Another part of the process may have chosen one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A redirect is a good answer, and a probe asks for no certificate of anybody's.
        let client = || {
            let builder = Client::builder().no_proxy().redirect(Policy::none()).pool_max_idle_per_host(0);
            builder.user_agent("kube-probe/1").tls_danger_accept_invalid_certs(true)
        };
        Ok(Self { http: client().build()?, grpc: client().http2_prior_knowledge().build()? })
    }
}

impl Asker {
    /// Fails if the answer is bad, or late.
    pub(crate) async fn ask(&self, check: &Check, longest: Duration) -> Result<()> {
        match timeout(longest, self.once(check)).await {
            Ok(answer) => answer,
            Err(_) => bail!("no answer within {longest:?}"),
        }
    }

    async fn once(&self, check: &Check) -> Result<()> {
        match check {
            Check::Http { url, headers } => {
                let mut request = self.clients.http.get(url);
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                let status = request.send().await?.status();
                ensure!((200..400).contains(&status.as_u16()), "{url} answered {status}");
            }
            Check::Tcp(host, port) => {
                TcpStream::connect((host.as_str(), *port)).await.with_context(|| format!("{host}:{port}"))?;
            }
            Check::Grpc(host, port, service) => {
                let url = format!("http://{host}:{port}{}", grpc::METHOD);
                let request = self.clients.grpc.post(&url).header("content-type", "application/grpc");
                let answer = request.header("te", "trailers").body(grpc::request(service)).send().await?;
                ensure!(grpc::is_serving(&answer.bytes().await?), "{url} does not say SERVING");
            }
            Check::Exec(words) => {
                let output = self.entry.exec(words).await?;
                let said = String::from_utf8_lossy(&output.stderr);
                ensure!(output.status.success(), "{words:?}: {}: {}", output.status, said.trim());
            }
            Check::Sleep(time) => tokio::time::sleep(*time).await,
        }
        Ok(())
    }
}
