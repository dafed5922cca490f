//! A real OCI registry on the node.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Deadline, Process, paths};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::process::Command;
use world::World;

const PORT: u16 = 5000;
const PATIENCE: Duration = Duration::from_secs(20);

/// A running registry, without TLS and without a login. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Registry {
    /// Host and port, as Pods know it too.
    address: String,
    _process: Process,
}

impl Registry {
    /// Starts it, and waits until it answers.
    pub(crate) async fn start(world: &World) -> Result<Self> {
        let (directory, address) = (world.directory(), format!("{}:{PORT}", world.address()));
        let settings = json!({
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": directory.join("registry")}},
            "http": {"addr": address},
        });
        let file = directory.join("registry.yaml");
        fs::write(&file, settings.to_string())?;
        let words = ["serve".into(), file.into()];
        let mut process =
            Process::spawn(Path::new("docker-registry"), &words, &directory.join("registry.log"))?;
        let deadline = Deadline::of("the registry to answer", PATIENCE);
        while TcpStream::connect(&address).await.is_err() {
            process.still_runs()?;
            deadline.pause().await?;
        }
        Ok(Self { address, _process: process })
    }

    /// Pushes the module by `scripts/push-filter`, and returns what that printed: a patch for plugins.
    pub(crate) async fn push(&self) -> Result<String> {
        let mut command = Command::new(paths::workspace().join("scripts/push-filter"));
        command.args([&format!("{}/sre/hfi-filter:0.1.0", self.address), "--plain-http", "--module"]);
        let output = command.arg(paths::filter()?).kill_on_drop(true).output().await?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).context("push-filter prints no text")
    }
}
