//! Further commands in a running container.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;

use crate::machine::find;
use crate::spec::user::User;

/// The way into a container.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// None if it ended before it could be seen.
    pub(crate) init: Option<Pid>,
    pub(crate) network: PathBuf,
    pub(super) user: User,
    pub(super) environment: BTreeMap<String, String>,
}

impl Entry {
    /// Kills the container's program. Linux then kills all others of its process namespace.
    pub(crate) fn kill(&self) -> Result<()> {
        kill_process(self.init.context("the container does not run")?, Signal::KILL).context("killing it")
    }

    /// Runs a command to its end and returns what it printed.
    pub(crate) async fn exec(&self, words: &[String]) -> Result<Output> {
        let mut command = self.command(words)?;
        command.stdin(Stdio::null());
        command.output().await.context("starting nsenter")
    }

    /// A command with the container's user and environment. Dropping its process kills what is of it on the outside;
    /// what it started ends with the container.
    pub(crate) fn command(&self, words: &[String]) -> Result<Command> {
        let init = self.init.context("the container does not run")?.as_raw_nonzero();
        let mut command = Command::new(find("setpriv")?);
        command.args(self.user.group_words()).arg("--").arg(find("env")?).args(["-i", "--"]);
        command.args(self.environment.iter().map(|(name, value)| format!("{name}={value}")));
        command.arg(find("nsenter")?).args(["--target", &init.to_string()]);
        command.args(["--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd"]);
        command.args(["--setuid", &self.user.uid.to_string(), "--"]).args(words);
        command.process_group(0).kill_on_drop(true);
        Ok(command)
    }
}
