//! The fetch from a server, as a job of the child process.

use std::path::PathBuf;

use git2::{Oid, Repository as BareClone};
use serde::{Deserialize, Serialize};

use super::{credentials::Credentials, fetch};
use crate::source::{access::Login, location::Transport, target::Target};

/// A fetch. Nothing in it is secret.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FetchJob {
    pub(super) repository: String,
    pub(super) transport: Transport,
    pub(super) target: Target,
    pub(super) login: Login,
    /// The path of the `known_hosts` file, for errors.
    pub(super) known_hosts: PathBuf,
}

impl FetchJob {
    /// Fetches into `clone`, and returns the id of the commit.
    pub(super) fn work(&self, clone: &BareClone) -> Result<Oid, String> {
        let Self { repository, transport, target, login, known_hosts } = self;
        let credentials = Credentials::new(login, known_hosts);
        fetch::tip(clone, repository, *transport, target, &credentials).map_err(|error| error.0)
    }
}
