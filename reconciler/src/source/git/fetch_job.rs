//! The fetch from a server, as a job of the child process.

use std::path::PathBuf;

use git2::{Oid, Repository as BareClone};
use serde::{Deserialize, Serialize};

use super::{connection::Connection, fetch, reason::failure};
use crate::source::{access::Login, location::Transport, target::Target};

/// A fetch. Nothing in it is secret.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FetchJob {
    pub(super) repository: String,
    pub(super) transport: Transport,
    pub(super) target: Target,
    pub(super) login: Login,
    /// The file with the only authorities to trust.
    pub(super) ca_file: Option<PathBuf>,
    /// The path of the `known_hosts` file, for errors.
    pub(super) known_hosts: PathBuf,
}

impl FetchJob {
    /// Fetches into `clone`, and returns the id of the commit.
    pub(super) fn work(&self, clone: &BareClone) -> Result<Oid, String> {
        let Self { repository, transport, target, login, ca_file, known_hosts } = self;
        let connection = match transport {
            Transport::Ssh => Ok(Connection::ssh(login, known_hosts)),
            Transport::Http | Transport::Https => Connection::http(login, ca_file.clone()),
        };
        let connection = connection.map_err(|error| failure("cannot prepare the fetch", &error).0)?;
        fetch::tip(clone, repository, target, &connection).map_err(|error| error.0)
    }
}
