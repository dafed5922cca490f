//! A real Envoy, in a process of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::binaries;
use crate::bootstrap::bootstrap;
use crate::client::{Client, Request};
use crate::process::Process;
use crate::sidecar::Sidecar;
use crate::wait::Deadline;

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
        // A proxy without the filter can be had before there is a build.
        let module = if sidecar.plugin.is_some() { binaries::filter()? } else { Default::default() };
        std::fs::write(folder.path().join("envoy.json"), bootstrap(&sidecar, &module).to_string())?;
        let (process, admin, address) = launch(&sidecar, client, folder.path()).await?;
        Ok(Self { process, sidecar, admin, address, client: client.clone(), folder })
    }

    /// The node id it was started with.
    pub fn node_id(&self) -> String {
        self.sidecar.node_id()
    }

    /// Where requests to the workload come in.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where Envoy's admin interface listens.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Ends it without warning.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.kill().await
    }

    /// Ends it without warning and starts it anew; its addresses change.
    pub async fn restart(&mut self) -> Result<()> {
        self.kill().await?;
        (self.process, self.admin, self.address) =
            launch(&self.sidecar, &self.client, self.folder.path()).await?;
        Ok(())
    }

    /// What it has logged since its last start.
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
    let arguments = [
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
    ];
    let mut process = Process::spawn(&binaries::envoy()?, &arguments, &folder.join("envoy.log"))?;
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
    let listeners = client.send(admin, &Request::get("/listeners?format=json")).await?;
    let address = listener_address(&listeners.body)?;
    Ok((process, admin, address))
}

fn listener_address(listeners: &str) -> Result<SocketAddr> {
    let listeners: Value = serde_json::from_str(listeners)?;
    let address = listeners.pointer("/listener_statuses/0/local_address/socket_address");
    let ip = address.and_then(|address| address.get("address")).and_then(Value::as_str);
    let port = address.and_then(|address| address.get("port_value")).and_then(Value::as_u64);
    let (Some(ip), Some(port)) = (ip, port) else {
        bail!("Envoy has no listener: {listeners}");
    };
    Ok(SocketAddr::new(ip.parse()?, u16::try_from(port)?))
}
