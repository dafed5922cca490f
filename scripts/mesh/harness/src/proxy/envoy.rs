//! A real Envoy, in a process of its own.

mod process;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

use super::configuration::{OUTBOUND, chain_address, configure, entrance_name};
use super::sidecar::Sidecar;
use crate::system::paths;
use crate::system::{Process, certify};
use crate::traffic::{Client, Request};

use crate::system::Deadline;

const PATIENCE: Duration = Duration::from_secs(30);

/// A running Envoy. Dropping it kills it.
#[derive(Debug)]
pub struct Envoy {
    process: Process,
    sidecar: Sidecar,
    admin: SocketAddr,
    address: SocketAddr,
    client: Client,
    folder: TempDir,
}

impl Envoy {
    /// Starts it and waits until it takes traffic.
    pub async fn start(sidecar: Sidecar, client: &Client) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let callers = &sidecar.options.callers;
        if !callers.is_empty() {
            let names: Vec<_> =
                callers.iter().map(|caller| (caller.name.as_str(), caller.names.as_str())).collect();
            certify(folder.path(), &names).await?;
        }
        configure(&sidecar, folder.path())?;
        let (process, admin, address) = launch(&sidecar, client, folder.path()).await?;
        Ok(Self { process, sidecar, admin, address, client: client.clone(), folder })
    }

    /// The node id it was started with.
    pub fn node_id(&self) -> String {
        self.sidecar.node_id()
    }

    /// The address for requests to the workload.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the outbound listener, of a proxy that has both.
    pub async fn outbound(&self) -> Result<SocketAddr> {
        listener_address(&self.client, self.admin, Some(OUTBOUND)).await
    }

    /// The address of the filter chain of this number, of a waypoint.
    pub fn chain(&self, number: u8) -> SocketAddr {
        SocketAddr::from((chain_address(number), self.address.port()))
    }

    /// The address at which a caller's requests enter the tunnel to the filter chain of this number, of a
    /// waypoint.
    pub async fn tunnel(&self, caller: &str, chain: u8) -> Result<SocketAddr> {
        listener_address(&self.client, self.admin, Some(&entrance_name(caller, chain))).await
    }

    /// The address of Envoy's admin interface.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Ends it without warning.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.kill().await
    }

    /// Ends it without warning and starts it again; its addresses change.
    pub async fn restart(&mut self) -> Result<()> {
        self.kill().await?;
        (self.process, self.admin, self.address) =
            launch(&self.sidecar, &self.client, self.folder.path()).await?;
        Ok(())
    }

    /// Gives it the listener of another sidecar while it runs, if it is reconfigurable: the old one
    /// is drained, and what it holds goes on until then.
    pub fn reconfigure(&mut self, sidecar: Sidecar) -> Result<()> {
        configure(&sidecar, self.folder.path())?;
        self.sidecar = sidecar;
        Ok(())
    }

    /// The warnings of the filter since the last start.
    pub fn warnings(&self) -> Result<Vec<String>> {
        let log = self.log()?;
        let warnings = log.lines().filter(|line| line.contains("[warning][wasm]"));
        Ok(warnings.map(str::to_owned).collect())
    }

    /// Tells its admin interface to do something; `path` says what.
    pub async fn tell(&self, path: &str) -> Result<()> {
        let answer = self.client.send(self.admin, &Request::get(path).method(Method::POST)).await?;
        ensure!(answer.status.is_success(), "{path}: {answer:?}");
        Ok(())
    }

    /// The log since its last start.
    pub fn log(&self) -> Result<String> {
        self.process.log()
    }

    /// A counter or gauge, by the end of its name: Envoy puts a prefix before what filters count.
    pub async fn stat(&self, name: &str) -> Result<u64> {
        let stats = self.client.send(self.admin, &Request::get("/stats")).await?.body;
        let value = stats
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find_map(|(stat, value)| stat.ends_with(name).then(|| value.parse()));
        value.with_context(|| format!("Envoy knows no stat {name}"))?.context("a stat is a number")
    }
}

async fn launch(
    sidecar: &Sidecar,
    client: &Client,
    folder: &Path,
) -> Result<(Process, SocketAddr, SocketAddr)> {
    let admin_file = folder.join("admin");
    if admin_file.exists() {
        std::fs::remove_file(&admin_file)?;
    }
    let mut arguments = vec![
        "--config-path".into(),
        folder.join("envoy.json").into(),
        "--admin-address-path".into(),
        admin_file.clone().into(),
        "--concurrency".into(),
        sidecar.concurrency.to_string().into(),
        // Each is on its own: without this they would take each other for an earlier epoch.
        "--disable-hot-restart".into(),
        "--log-level".into(),
        "warning".into(),
        "--component-log-level".into(),
        "wasm:info".into(),
        "--file-flush-interval-msec".into(),
        "50".into(),
    ];
    // A listener that is replaced keeps its connections for so long.
    let drain = ["--drain-time-s".into(), sidecar.drain_seconds().to_string().into()];
    arguments.extend(drain.into_iter().filter(|_| sidecar.is_reconfigurable));
    let (envoy, log) = (paths::envoy()?, folder.join("envoy.log"));
    let mut process = match sidecar.options.core {
        None => Process::spawn(&envoy, &arguments, &log)?,
        Some(core) => {
            let pinned = ["--cpu-list".into(), core.to_string().into(), envoy.into()];
            Process::spawn(Path::new("taskset"), &[&pinned[..], &arguments[..]].concat(), &log)?
        }
    };
    let deadline = Deadline::of("Envoy to take traffic", PATIENCE);
    let admin = loop {
        process.still_runs().context("Envoy")?;
        let admin = std::fs::read_to_string(&admin_file).ok().and_then(|text| text.parse().ok());
        if let Some(admin) = admin
            && client.send(admin, &Request::get("/ready")).await?.status.is_success()
        {
            break admin;
        }
        deadline.pause().await?;
    };
    let address = listener_address(client, admin, None).await?;
    Ok((process, admin, address))
}

/// The address of a listener: the one of this name, or else the first.
async fn listener_address(client: &Client, admin: SocketAddr, name: Option<&str>) -> Result<SocketAddr> {
    let listeners = client.send(admin, &Request::get("/listeners?format=json")).await?.body;
    let statuses: Value = serde_json::from_str(&listeners)?;
    let mut statuses = statuses.get("listener_statuses").and_then(Value::as_array).into_iter().flatten();
    let listener = statuses
        .find(|status| name.is_none_or(|name| status.get("name").and_then(Value::as_str) == Some(name)));
    let address = listener.and_then(|listener| listener.pointer("/local_address/socket_address"));
    let ip = address.and_then(|address| address.get("address")).and_then(Value::as_str);
    let port = address.and_then(|address| address.get("port_value")).and_then(Value::as_u64);
    let (Some(ip), Some(port)) = (ip, port) else {
        bail!("Envoy has no listener {}: {listeners}", name.unwrap_or_default());
    };
    Ok(SocketAddr::new(ip.parse()?, u16::try_from(port)?))
}
