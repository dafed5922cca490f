//! A Git server over SSH: the real sshd, as the user who runs the tests.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::system::Deadline;
use crate::system::Process;
use crate::system::loopback;

const PATIENCE: Duration = Duration::from_secs(10);
/// Debian has it outside of a user's path, and sshd insists on being started by its full path.
const SSHD: &str = "/usr/sbin/sshd";

/// A running server with keys of its own. Dropping it stops it.
#[derive(Debug)]
pub struct GitSsh {
    process: Process,
    address: SocketAddr,
    user: String,
    folder: TempDir,
}

impl GitSsh {
    /// A server with a host key of this kind (`ed25519`, `rsa`, `ecdsa`) that lets one client in.
    pub async fn start(kind: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let inside = |name: &str| folder.path().join(name);
        generate(kind, &inside("host_key"), "").await?;
        generate("ed25519", &inside("client_key"), "").await?;
        std::fs::copy(inside("client_key.pub"), inside("authorized_keys"))?;
        // sshd takes no port from the kernel; the one that is free now nearly always still is.
        let address = TcpListener::bind(loopback())?.local_addr()?;
        let path = std::env::var("PATH")?;
        let configuration = format!(
            "ListenAddress {address}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nSetEnv PATH={path}\n",
            inside("host_key").display(),
            inside("authorized_keys").display()
        );
        std::fs::write(inside("sshd_config"), configuration)?;
        // Where it locks itself up while it does not yet trust a client; made at boot by Debian.
        let _ = std::fs::create_dir_all("/run/sshd");
        let arguments = ["-D".into(), "-e".into(), "-f".into(), inside("sshd_config").into_os_string()];
        let mut process = Process::spawn(Path::new(SSHD), &arguments, &inside("sshd.log"))?;
        let deadline = Deadline::of("sshd to listen", PATIENCE);
        while TcpStream::connect(address).await.is_err() {
            process.still_runs()?;
            deadline.pause().await?;
        }
        let user = run(Command::new("id").arg("-un")).await?.trim().to_owned();
        Ok(Self { process, address, user, folder })
    }

    /// The `ssh://` URL of a repository of this machine.
    pub fn url(&self, repository: &Path) -> String {
        format!("ssh://{}@{}{}", self.user, self.address, repository.display())
    }

    /// The private key that is let in.
    pub fn client_key(&self) -> PathBuf {
        self.folder.path().join("client_key")
    }

    /// Another key pair of the client's, which is not let in; the private one.
    pub async fn another_key(&self, kind: &str, passphrase: &str) -> Result<PathBuf> {
        let key = self.folder.path().join(format!("another_{kind}_key"));
        let _ = std::fs::remove_file(&key);
        generate(kind, &key, passphrase).await?;
        Ok(key)
    }

    /// Lets in the owner of this private key, and nobody else.
    pub fn let_in(&self, key: &Path) -> Result<()> {
        std::fs::copy(key.with_extension("pub"), self.folder.path().join("authorized_keys"))?;
        Ok(())
    }

    /// The line of `known_hosts` for this server, if its key were this one.
    pub fn known_as(&self, key: &Path) -> Result<String> {
        let key = std::fs::read_to_string(key.with_extension("pub"))?;
        Ok(format!("[{}]:{} {key}", self.address.ip(), self.address.port()))
    }

    /// The line of `known_hosts` that is true.
    pub fn known_host(&self) -> Result<String> {
        self.known_as(&self.folder.path().join("host_key"))
    }

    /// The fingerprint of its key as `ssh-keygen` shows it.
    pub async fn fingerprint(&self) -> Result<String> {
        let key = self.folder.path().join("host_key.pub");
        let shown = run(Command::new("ssh-keygen").arg("-lf").arg(key)).await?;
        Ok(shown.split_whitespace().nth(1).context("no fingerprint")?.to_owned())
    }

    /// The log of the server so far.
    pub fn log(&self) -> Result<String> {
        self.process.log()
    }
}

async fn generate(kind: &str, file: &Path, passphrase: &str) -> Result<()> {
    let mut command = Command::new("ssh-keygen");
    run(command.args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"]).arg(file)).await.map(drop)
}

async fn run(command: &mut Command) -> Result<String> {
    let output = command.output().await.with_context(|| format!("starting {:?}", command.as_std()))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{:?} failed: {complaint}", command.as_std());
    Ok(String::from_utf8(output.stdout)?)
}
