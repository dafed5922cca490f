//! The fetch from a server, as a job of the child process.

use git2::{Oid, Repository as BareClone};
use serde::{Deserialize, Serialize};

use super::{fetch, server::Server};
use crate::source::target::Target;

/// A fetch. Nothing in it is secret.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FetchJob {
    pub(super) server: Server,
    pub(super) target: Target,
}

impl FetchJob {
    /// Fetches into `clone`, and returns the id of the commit.
    pub(super) fn work(&self, clone: &BareClone) -> Result<Oid, String> {
        let Self { server, target } = self;
        let connection = server.connection()?;
        fetch::tip(clone, &server.repository, target, &connection).map_err(|error| error.0)
    }
}
