//! Children that never outlive their parent, with their output in a file.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::process::{Child, Command};

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program`; what it prints goes to the file `log`, which is emptied first.
    pub fn spawn(program: &Path, arguments: &[OsString], log: &Path) -> Result<Self> {
        let output = File::create(log).with_context(|| format!("creating {}", log.display()))?;
        // `kill_on_drop` covers errors, panics and signals that are handled; the parent death
        // signal covers a parent that is itself killed.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).args(arguments);
        for (name, _) in std::env::vars_os() {
            // The caller's own settings of hfi are not meant for the one under test.
            if name.as_encoded_bytes().starts_with(b"HFI_") {
                command.env_remove(name);
            }
        }
        // What a child that is killed leaves behind goes away with the directory of its log.
        if let Some(folder) = log.parent() {
            command.env("TMPDIR", folder);
        }
        let child = command
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Everything it has printed so far.
    pub fn log(&self) -> Result<String> {
        let bytes = std::fs::read(&self.log)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Fails, with what it printed, when the child has ended by itself.
    pub fn still_runs(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("ended with {status}; it said:\n{}", self.log()?);
        }
        Ok(())
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends it without warning (SIGKILL).
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("killing a child")
    }

    /// Sends it a signal, unless it has ended.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            kill_process(pid, signal)?;
        }
        Ok(())
    }

    /// Stops it until SIGCONT. None of its threads runs when this returns: the signal alone leaves some time to a
    /// thread that runs on another core.
    pub fn stop(&self) -> Result<()> {
        self.signal(Signal::STOP)?;
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
        }
        Ok(())
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    pub async fn terminate(&mut self, patience: Duration) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        let ended = tokio::time::timeout(patience, self.child.wait()).await;
        Ok(ended.with_context(|| format!("still running {patience:?} after SIGTERM"))??)
    }
}
