//! nginx, in one process that nothing outlives.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::deadline::Deadline;
use super::loopback::loopback;
use super::process::Process;
use super::process_stats;

const PATIENCE: Duration = Duration::from_secs(10);
/// The directory of nginx's modules on Debian.
const MODULES: &str = "/usr/lib/nginx/modules";

/// A running nginx. Dropping it kills it.
#[derive(Debug)]
pub struct Nginx {
    process: Process,
    address: SocketAddr,
    folder: TempDir,
}

impl Nginx {
    /// Starts it with what `server` says of the address it is to listen at, and with a module, if one is
    /// named. Its files are in `folder`.
    pub async fn start(
        folder: TempDir,
        module: Option<&str>,
        server: impl FnOnce(SocketAddr, &Path) -> String,
    ) -> Result<Self> {
        let address = TcpListener::bind(loopback())?.local_addr()?;
        let inside = |name: &str| folder.path().join(name).display().to_string();
        let module = module.map_or(String::new(), |name| format!("load_module {MODULES}/{name}.so;\n"));
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {};\n", inside(kind)))
            .concat();
        let configuration = format!(
            "{module}daemon off;\nmaster_process off;\npid {};\nerror_log stderr;\n\
             events {{\nworker_connections 19000;\n}}\nhttp {{\n{temporary}{}\n}}\n",
            inside("pid"),
            server(address, folder.path()),
        );
        std::fs::write(folder.path().join("nginx.conf"), configuration)?;
        let arguments = ["-e", "stderr", "-c", &inside("nginx.conf")].map(Into::into);
        let process = Process::spawn(Path::new("/usr/sbin/nginx"), &arguments, &folder.path().join("log"))?;
        let mut nginx = Self { process, address, folder };
        let deadline = Deadline::of("nginx to listen", PATIENCE);
        while TcpStream::connect(address).await.is_err() {
            nginx.process.still_runs()?;
            deadline.pause().await?;
        }
        Ok(nginx)
    }

    /// The address that it listens at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A file in its directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The processor time that it has had since its start.
    pub fn processor_time(&self) -> Result<Duration> {
        process_stats::processor_time(self.process.id().unwrap_or_default())
    }

    /// The memory that it has in use, in bytes.
    pub fn memory(&self) -> Result<u64> {
        process_stats::memory(self.process.id().unwrap_or_default())
    }
}
