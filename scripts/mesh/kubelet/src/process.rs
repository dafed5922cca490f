//! A container's process: a program in namespaces and with a root file system of its own.
//!
//! `nsenter` enters the network namespace of the Pod, `unshare` makes the other namespaces, `enter.sh` mounts the
//! root file system, `setpriv` gives up rights, `env` sets the environment, and a second `unshare` changes root and
//! user and becomes the program. It has the process id 1 in its namespace, so that all it starts ends with it.

mod entry;
mod mounted;
pub(crate) mod running;
mod started;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result};
use rustix::process::{Signal, kill_process};
use tokio::process::{Child, Command};

use crate::image::Program;
use crate::machine::find;
use crate::spec::mounts::Mount;
use crate::spec::user::User;
pub(crate) use entry::Entry;

/// Everything that the start of a container needs.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The file of the network namespace.
    pub(crate) network: PathBuf,
    pub(crate) hostname: String,
    pub(crate) program: Arc<Program>,
    pub(crate) command_line: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) user: User,
    /// None means all.
    pub(crate) capabilities: Option<Vec<String>>,
    pub(crate) confined: bool,
    pub(crate) read_only_root: bool,
    pub(crate) working_directory: PathBuf,
    /// Directories of volumes, by their names, are below this one.
    pub(crate) volumes: PathBuf,
    pub(crate) mounts: Vec<Mount>,
    /// Files of the Pod, by their paths in the container.
    pub(crate) files: Vec<(PathBuf, PathBuf)>,
    /// The file for a message about the end: in the container, and on this machine.
    pub(crate) message: (PathBuf, PathBuf),
    /// A directory for the root file system.
    pub(crate) scratch: PathBuf,
    /// The file that output is added to.
    pub(crate) log: PathBuf,
}

/// A running container.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) entry: Entry,
}

const ENTER: &str = include_str!("process/enter.sh");

impl Process {
    /// Starts a container and waits until its program runs, or has ended already.
    pub(crate) async fn start(plan: &Plan) -> Result<Self> {
        fs::create_dir_all(&plan.scratch)?;
        let directory = plan.log.parent().context("a log without a directory")?;
        fs::create_dir_all(directory)?;
        let log = OpenOptions::new().create(true).append(true).open(&plan.log)?;
        // So that the program can open /dev/stdout, whoever it is.
        fs::set_permissions(&plan.log, Permissions::from_mode(0o666))?;
        let mut command = Command::new(find("nsenter")?);
        command.arg(format!("--net={}", plan.network.display())).arg("--").arg(find("unshare")?);
        command.args(["--mount", "--uts", "--ipc", "--pid", "--fork", "--"]).arg(find("sh")?);
        command.args(["-c", ENTER, "enter.sh"]).arg(&plan.scratch).arg(&plan.hostname);
        command.args(mounted::steps(plan)?).arg("start").args(start_words(plan)?);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).current_dir("/");
        // An interruption at the terminal is for the kubelet, not for its containers.
        let mut child = command.process_group(0).kill_on_drop(true).spawn().context("starting nsenter")?;
        let init = started::init_of(&mut child).await?;
        let (user, environment) = (plan.user.clone(), plan.environment.clone());
        Ok(Self { child, entry: Entry { init, network: plan.network.clone(), user, environment } })
    }

    /// Waits until it has ended.
    pub(crate) async fn wait(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait().await?)
    }

    /// Sends a signal to its program.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(init) = self.entry.init {
            // It may have ended.
            let _ = kill_process(init, signal);
        }
    }
}

/// The exit code as container engines have it: 128 and more after a signal.
pub(crate) fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// The command that becomes the program once the root file system is there.
fn start_words(plan: &Plan) -> Result<Vec<OsString>> {
    let mut words = vec![find("setpriv")?.into_os_string()];
    words.extend(plan.user.group_words().map(OsString::from));
    if let Some(capabilities) = &plan.capabilities {
        // What changes root and user afterwards; of this, root keeps the first.
        let needed = if plan.user.uid == 0 { "+sys_chroot" } else { "+sys_chroot,+setuid" };
        let kept: String = capabilities.iter().map(|name| format!(",+{name}")).collect();
        words.push(format!("--bounding-set=-all,{needed}{kept}").into());
    }
    if plan.confined {
        words.push("--no-new-privs".into());
    }
    words.extend(["--".into(), find("env")?.into_os_string(), "-i".into(), "--".into()]);
    words.extend(plan.environment.iter().map(|(name, value)| OsString::from(format!("{name}={value}"))));
    words.extend([find("unshare")?.into_os_string(), "--root".into(), plan.scratch.join("root").into()]);
    words.extend(["--wd".into(), plan.working_directory.clone().into_os_string()]);
    words.extend(["--setuid".into(), plan.user.uid.to_string().into(), "--".into()]);
    words.extend(plan.command_line.iter().map(OsString::from));
    Ok(words)
}
