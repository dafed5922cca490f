//! A Git server as a forge runs it: nginx with TLS and a password in front of `git http-backend`.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::git_http::GitHttp;
use crate::mesh::loopback;
use crate::process::Process;
use crate::wait::Deadline;

const PATIENCE: Duration = Duration::from_secs(10);

/// A running server with a certificate of its own authority. Dropping it stops it.
#[derive(Debug)]
pub struct GitHttps {
    process: Process,
    address: SocketAddr,
    _backend: GitHttp,
    folder: TempDir,
}

impl GitHttps {
    /// Serves, for reading, the `repositories` of a folder below `/git/` to whoever knows the password.
    pub async fn start(repositories: &Path, user: &str, password: &str) -> Result<Self> {
        let backend = GitHttp::start(repositories).await?;
        let folder = tempfile::tempdir()?;
        certify(folder.path()).await?;
        let address = TcpListener::bind(loopback())?.local_addr()?;
        let inside = |name: &str| folder.path().join(name).display().to_string();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {};\n", inside(kind)))
            .concat();
        // One process, so that nothing outlives it when it is killed.
        let configuration = format!(
            "daemon off;\nmaster_process off;\npid {};\nerror_log stderr;\nevents {{}}\nhttp {{\n{temporary}access_log {};\n\
             server {{\nlisten {address} ssl;\nssl_certificate {};\nssl_certificate_key {};\n\
             location /git/ {{\nauth_basic git;\nauth_basic_user_file {};\nproxy_pass {};\n}}\n\
             location /moved/ {{\nrewrite ^/moved/(.*) https://localhost:{}/git/$1 redirect;\n}}\n}}\n}}\n",
            inside("pid"),
            inside("access.log"),
            inside("server.pem"),
            inside("server.key"),
            inside("passwords"),
            backend.url(""),
            address.port(),
        );
        std::fs::write(folder.path().join("nginx.conf"), configuration)?;
        let arguments = ["-e", "stderr", "-c", &inside("nginx.conf")].map(Into::into);
        let process = Process::spawn(Path::new("/usr/sbin/nginx"), &arguments, &folder.path().join("log"))?;
        let mut server = Self { process, address, _backend: backend, folder };
        server.let_in(user, password)?;
        let deadline = Deadline::of("nginx to listen", PATIENCE);
        while TcpStream::connect(address).await.is_err() {
            server.process.still_runs()?;
            deadline.pause().await?;
        }
        Ok(server)
    }

    /// Who is let in from now on, and nobody else.
    pub fn let_in(&self, user: &str, password: &str) -> Result<()> {
        let file = self.folder.path().join("passwords");
        std::fs::write(&file, format!("{user}:{{PLAIN}}{password}\n")).context("writing passwords")
    }

    /// The URL of one of the repositories.
    pub fn url(&self, repository: &str) -> String {
        format!("https://{}/git/{repository}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL that redirects to another name of the same host.
    pub fn moved_url(&self, repository: &str) -> String {
        format!("https://{}/moved/{repository}", self.address)
    }

    /// The certificate of the authority that vouches for it.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The requests so far, a line each.
    pub fn requests(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join("access.log"))?)
    }
}

/// Makes an authority, and a certificate by it for this machine's loopback.
async fn certify(folder: &Path) -> Result<()> {
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    let authority = ["req", "-x509", "-subj", "/CN=An authority", "-keyout", "ca.key", "-out", "ca.pem"];
    openssl(folder, &[&authority[..], &key].concat()).await?;
    let server = [
        "req",
        "-x509",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:git.invalid",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-keyout",
        "server.key",
        "-out",
        "server.pem",
    ];
    openssl(folder, &[&server[..], &key].concat()).await
}

async fn openssl(folder: &Path, arguments: &[&str]) -> Result<()> {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output().await;
    let output = output.context("starting openssl")?;
    ensure!(output.status.success(), "openssl failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
