//! A Git server as a forge runs it: nginx with TLS and a password in front of `git http-backend`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::git::http::GitHttp;
use crate::system::Nginx;
use crate::system::certify;

/// A running server with a certificate of its own authority. Dropping it stops it.
#[derive(Debug)]
pub struct GitHttps {
    nginx: Nginx,
    _backend: GitHttp,
}

impl GitHttps {
    /// Serves, for reading, the `repositories` of a directory below `/git/` to a client that knows the password.
    pub async fn start(repositories: &Path, user: &str, password: &str) -> Result<Self> {
        let backend = GitHttp::start(repositories).await?;
        let folder = tempfile::tempdir()?;
        certify(folder.path(), &[]).await?;
        let nginx = Nginx::start(folder, None, |address, folder| {
            let inside = |name: &str| folder.join(name).display().to_string();
            format!(
                "access_log {};\nserver {{\nlisten {address} ssl;\nssl_certificate {};\nssl_certificate_key {};\n\
                 location /git/ {{\nauth_basic git;\nauth_basic_user_file {};\nproxy_pass {};\n}}\n\
                 location /moved/ {{\nrewrite ^/moved/(.*) https://localhost:{}/git/$1 redirect;\n}}\n}}\n",
                inside("access.log"),
                inside("server.pem"),
                inside("server.key"),
                inside("passwords"),
                backend.url(""),
                address.port(),
            )
        });
        let server = Self { nginx: nginx.await?, _backend: backend };
        server.let_in(user, password)?;
        Ok(server)
    }

    /// Lets in this user from now on, and nobody else.
    pub fn let_in(&self, user: &str, password: &str) -> Result<()> {
        let file = self.nginx.file("passwords");
        std::fs::write(&file, format!("{user}:{{PLAIN}}{password}\n")).context("writing passwords")
    }

    /// The URL of one of the repositories.
    pub fn url(&self, repository: &str) -> String {
        format!("https://{}/git/{repository}", self.nginx.address())
    }

    /// The address that it listens at.
    pub fn address(&self) -> SocketAddr {
        self.nginx.address()
    }

    /// A URL that redirects to another name of the same host.
    pub fn moved_url(&self, repository: &str) -> String {
        format!("https://{}/moved/{repository}", self.nginx.address())
    }

    /// The certificate of the authority that vouches for it.
    pub fn ca_file(&self) -> PathBuf {
        self.nginx.file("ca.pem")
    }

    /// The requests so far, a line each.
    pub fn requests(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.nginx.file("access.log"))?)
    }
}
