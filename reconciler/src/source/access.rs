//! Access to a remote repository: credentials, trusted servers, time limits.
//!
//! Secrets are named by the files that hold them, and are read from there for every fetch. A file that is
//! replaced, as Kubernetes does with a mounted Secret, is used from the next fetch on. Nothing in this value
//! is secret, and all of it may be logged.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::signers::Signers;

/// Credentials, trusted servers and time limits for remote repositories.
#[derive(Clone, Debug)]
pub struct Access {
    pub login: Login,
    /// Certificates of the only authorities trusted for HTTPS, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The keys of SSH servers; the user's own `~/.ssh/known_hosts` if not given.
    pub known_hosts_file: Option<PathBuf>,
    /// Trusted signers: one of them must have signed the served commit. Absent: commits need no signature.
    pub signers: Option<Signers>,
    /// The longest time that a fetch or another job of the child process takes.
    pub timeout: Duration,
    /// The `hfi` program that runs as the child process.
    pub program: PathBuf,
}

/// Credentials for a server that asks for them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Login {
    /// The user name for servers whose URL names no user.
    pub username: Option<String>,
    /// The file with the password or token for HTTP, or with the passphrase of the SSH key.
    pub password_file: Option<PathBuf>,
    /// The file with the private SSH key.
    pub ssh_key_file: Option<PathBuf>,
    /// The options that name these files, for errors.
    pub options: LoginOptions,
}

/// The options of the command line that name the files of a login.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub enum LoginOptions {
    #[default]
    OfFetch,
    OfPush,
}

impl LoginOptions {
    pub fn password_file(self) -> &'static str {
        match self {
            Self::OfFetch => "--git-password-file",
            Self::OfPush => "--push-password-file",
        }
    }

    pub fn ssh_key_file(self) -> &'static str {
        match self {
            Self::OfFetch => "--ssh-key-file",
            Self::OfPush => "--push-ssh-key-file",
        }
    }
}

impl Login {
    /// The user for servers whose URL names none.
    pub fn user(&self) -> &str {
        self.username.as_deref().unwrap_or("git")
    }
}

impl Default for Access {
    fn default() -> Self {
        Self {
            login: Login::default(),
            ca_file: None,
            known_hosts_file: None,
            signers: None,
            timeout: Duration::from_secs(60),
            // This very program, even if its file has been replaced by a newer one.
            program: "/proc/self/exe".into(),
        }
    }
}
