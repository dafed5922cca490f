//! The same repositories over SSH: the real sshd, for the user `git`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use harness::{Deadline, Process};
use tokio::net::TcpStream;

use crate::machine::{Node, wait_for};

const PATIENCE: Duration = Duration::from_secs(10);

/// A running sshd. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Ssh {
    _process: Process,
    directory: PathBuf,
}

impl Ssh {
    /// Serves the repositories of a directory at the address of the node.
    pub(super) async fn start(node: &Node, repositories: &Path) -> Result<Self> {
        let directory = node.directory().join("ssh");
        fs::create_dir_all(&directory)?;
        let inside = |name: &str| directory.join(name).display().to_string();
        for name in ["host", "client"] {
            let words = ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"];
            wait_for("ssh-keygen", &[&words[..], &[inside(name).as_str()]].concat()).await?;
        }
        let users = fs::read_to_string("/etc/passwd")?;
        let root = "git:*:0:0::/nonexistent:/bin/sh\n";
        fs::write(inside("passwd"), format!("{users}{root}"))?;
        // A URL has the path of the repository as the forge has it.
        let serve = format!(
            "#!/bin/sh\npath=${{SSH_ORIGINAL_COMMAND#*\\'/}}\nexec git-upload-pack \"{}/${{path%\\'}}\"\n",
            repositories.display()
        );
        fs::write(inside("serve"), serve)?;
        let configuration = format!(
            "ListenAddress {}\nHostKey {}\nAuthorizedKeysFile {}\nForceCommand /bin/sh {}\nPidFile none\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n",
            node.address(),
            inside("host"),
            inside("client.pub"),
            inside("serve"),
        );
        fs::write(inside("sshd_config"), configuration)?;
        // Where sshd locks itself up while it does not yet trust a client; made at boot by Debian.
        let _ = fs::create_dir_all("/run/sshd");
        // The machine has no user `git`: only this sshd sees one.
        let script = "mount --bind \"$1\" /etc/passwd && exec /usr/sbin/sshd -D -e -f \"$2\"";
        let words = ["--mount", "sh", "-c", script, "sh", &inside("passwd"), &inside("sshd_config")];
        let words = words.map(ToOwned::to_owned);
        let mut process = node.spawn("sshd", &[], Path::new("unshare"), &words)?;
        let deadline = Deadline::of("sshd to listen", PATIENCE);
        while TcpStream::connect((node.address(), 22)).await.is_err() {
            process.still_runs()?;
            deadline.pause().await?;
        }
        Ok(Self { _process: process, directory })
    }

    /// The private key that is let in.
    pub(crate) fn client_key(&self) -> PathBuf {
        self.directory.join("client")
    }

    /// The line of `known_hosts` for `git.example`.
    pub(crate) fn known_host(&self) -> Result<String> {
        Ok(format!("git.example {}", fs::read_to_string(self.directory.join("host.pub"))?))
    }
}
