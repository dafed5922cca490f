//! A repository on a server, as a job of the child process reaches it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{connection::Connection, isolated_home::known_hosts, reason::failure};
use crate::source::{
    access::{Access, Login},
    location::Transport,
};

/// A repository and the way to it. Nothing in it is secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Server {
    pub(super) repository: String,
    pub(super) transport: Transport,
    login: Login,
    /// The file with the only authorities to trust.
    ca_file: Option<PathBuf>,
    /// The path of the `known_hosts` file, for errors.
    known_hosts: PathBuf,
}

impl Server {
    pub(super) fn new(url: String, transport: Transport, access: &Access) -> Self {
        Self {
            repository: url,
            transport,
            login: access.login.clone(),
            ca_file: access.ca_file.clone(),
            known_hosts: known_hosts(access).unwrap_or_default(),
        }
    }

    /// The way to the server; once in a process.
    pub(super) fn connection(&self) -> Result<Connection<'_>, String> {
        let connection = match self.transport {
            Transport::Ssh => Ok(Connection::ssh(&self.login, &self.known_hosts)),
            Transport::Http | Transport::Https => Connection::http(&self.login, self.ca_file.clone()),
        };
        connection.map_err(|error| failure("cannot prepare the connection", &error).0)
    }
}
