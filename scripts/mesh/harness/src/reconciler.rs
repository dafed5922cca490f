//! The real `hfi serve`, in a process of its own.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::git::BRANCH;
use crate::system::Deadline;
use crate::system::Process;
use crate::system::paths;
use crate::system::process_stats;
use crate::traffic::{Client, Request};

const PATIENCE: Duration = Duration::from_secs(10);

/// The source of a reconciler's policies.
#[derive(Debug, Clone)]
pub enum Source {
    /// A Git repository, by path or URL, looked at no later than after each interval.
    Git {
        /// The path or URL.
        repository: OsString,
        /// As `hfi serve --interval` takes it.
        interval: &'static str,
    },
    /// A plain directory.
    Folder(PathBuf),
}

impl Source {
    /// A repository on this machine. The interval is long: what happens sooner happens because the
    /// push was noticed.
    pub fn local(repository: &Path) -> Self {
        Self::Git { repository: repository.into(), interval: "30s" }
    }

    fn arguments(&self) -> Vec<OsString> {
        match self {
            Self::Git { repository, interval } => {
                let named = ["--repo".into(), repository.clone()];
                let plain = ["--branch", BRANCH, "--interval", interval];
                named.into_iter().chain(plain.map(OsString::from)).collect()
            }
            Self::Folder(path) => vec!["--dir".into(), path.into()],
        }
    }
}

/// A running reconciler. Dropping it kills it.
#[derive(Debug)]
pub struct Reconciler {
    process: Process,
    command: Vec<OsString>,
    source: Source,
    options: Vec<OsString>,
    address: SocketAddr,
    folder: TempDir,
}

impl Reconciler {
    /// Starts it and waits until it listens; port 0 means any that is free.
    pub async fn start(source: Source, listen: SocketAddr) -> Result<Self> {
        Self::start_with(source, listen, Vec::new()).await
    }

    /// The same with further options of `hfi serve`.
    pub async fn start_with(source: Source, listen: SocketAddr, options: Vec<OsString>) -> Result<Self> {
        Self::launch_first(vec![paths::hfi()?.into(), "serve".into()], source, listen, options).await
    }

    /// Starts another server that takes the options of `hfi serve`: a program and its first arguments.
    pub async fn start_as(command: Vec<OsString>, source: Source, listen: SocketAddr) -> Result<Self> {
        Self::launch_first(command, source, listen, Vec::new()).await
    }

    async fn launch_first(
        command: Vec<OsString>,
        source: Source,
        listen: SocketAddr,
        options: Vec<OsString>,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (process, address) = launch(&command, &source, listen, &options, folder.path()).await?;
        Ok(Self { process, command, source, options, address, folder })
    }

    /// The address that it serves at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has a snapshot to serve.
    pub async fn ready(&mut self, client: &Client) -> Result<()> {
        let deadline = Deadline::of("the reconciler to be ready", PATIENCE);
        while !client.send(self.address, &Request::get("/v1/ready")).await?.status.is_success() {
            self.process.still_runs().context("hfi")?;
            deadline.pause().await?;
        }
        Ok(())
    }

    /// Ends it without warning.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.kill().await
    }

    /// Asks it to end, and waits until it has.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.process.terminate(PATIENCE).await
    }

    /// Makes it hang: it keeps its connections and does nothing.
    pub fn freeze(&self) -> Result<()> {
        self.process.stop()
    }

    /// Lets it go on after a [freeze](Self::freeze).
    pub fn thaw(&self) -> Result<()> {
        self.process.signal(Signal::CONT)
    }

    /// Starts it again, after its end, at the same address.
    pub async fn restart(&mut self) -> Result<()> {
        let Self { command, source, options, folder, .. } = &*self;
        (self.process, _) = launch(command, source, self.address, options, folder.path()).await?;
        Ok(())
    }

    /// Its resident memory, in bytes.
    pub fn memory(&self) -> Result<u64> {
        process_stats::memory(self.id()?)
    }

    /// Its resident memory when that was at its highest, in bytes.
    pub fn peak_memory(&self) -> Result<u64> {
        process_stats::peak_memory(self.id()?)
    }

    /// The processor time that it and the processes that it started have used, as long as none runs.
    pub fn processor_time(&self) -> Result<Duration> {
        Ok(process_stats::processor_time(self.id()?)?
            + process_stats::processor_time_of_ended_children(self.id()?)?)
    }

    /// The number of files that it has open, connections included.
    pub fn open_files(&self) -> Result<usize> {
        process_stats::open_files(self.id()?)
    }

    fn id(&self) -> Result<u32> {
        self.process.id().context("hfi has ended")
    }

    /// The log since its last start.
    pub fn log(&self) -> Result<String> {
        self.process.log()
    }
}

async fn launch(
    command: &[OsString],
    source: &Source,
    listen: SocketAddr,
    options: &[OsString],
    folder: &Path,
) -> Result<(Process, SocketAddr)> {
    let (program, first) = command.split_first().context("no program")?;
    let mut arguments = first.to_vec();
    arguments.extend(["--listen".into(), listen.to_string().into()]);
    arguments.extend(source.arguments());
    arguments.extend_from_slice(options);
    let mut process = Process::spawn(Path::new(program), &arguments, &folder.join("hfi.log"))?;
    let deadline = Deadline::of("the reconciler to listen", PATIENCE);
    loop {
        process.still_runs().context("hfi")?;
        if let Some(address) = process.log()?.lines().find_map(listening_address) {
            return Ok((process, address));
        }
        deadline.pause().await?;
    }
}

/// The address that a line of the log announces, if it is the line that announces one.
fn listening_address(line: &str) -> Option<SocketAddr> {
    let line: Value = serde_json::from_str(line).ok()?;
    // The fields are nested, or flattened into the line.
    let fields = line.get("fields").unwrap_or(&line);
    if fields.get("message")?.as_str()? != "listening" {
        return None;
    }
    fields.get("address")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_log_in_either_form() {
        let nested = r#"{"fields":{"message":"listening","address":"127.0.0.1:8080"}}"#;
        let flat = r#"{"message":"listening","address":"127.0.0.1:8080"}"#;
        let expected = "127.0.0.1:8080".parse().ok();
        assert_eq!(listening_address(nested), expected);
        assert_eq!(listening_address(flat), expected);
    }

    #[test]
    fn other_lines_announce_nothing() {
        assert_eq!(listening_address("plain text"), None);
        assert_eq!(listening_address(r#"{"message":"stopping","address":"127.0.0.1:1"}"#), None);
    }
}
