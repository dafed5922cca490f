//! How a remote repository is got at: who asks, whom to believe, and how long it may take.
//!
//! Secrets are named by the files that hold them, and read from there anew for every fetch: a file
//! that is replaced, as Kubernetes does with a mounted Secret, counts from the next fetch on. So
//! nothing here is secret, and all of it may be logged.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::signers::Signers;

/// How to reach remote repositories.
#[derive(Clone, Debug)]
pub struct Access {
    pub login: Login,
    /// Certificates of the authorities that vouch for an HTTPS server, in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// The keys of SSH servers; the user's own `~/.ssh/known_hosts` if not given.
    pub known_hosts_file: Option<PathBuf>,
    /// Those one of whom must have signed the commit that is served; anybody may, if not given.
    pub signers: Option<Signers>,
    /// How long a fetch may take.
    pub timeout: Duration,
    /// The `hfi` that fetches, in a process of its own.
    pub program: PathBuf,
}

/// What to say when a server asks who we are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Login {
    /// For servers whose URL names no user.
    pub username: Option<String>,
    /// Holds the password or token of an HTTP server, or the passphrase of the SSH key.
    pub password_file: Option<PathBuf>,
    /// Holds a private SSH key.
    pub ssh_key_file: Option<PathBuf>,
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
