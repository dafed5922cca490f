//! The fetch from a server, as a job of the child process.

use git2::{Oid, Repository as BareClone};
use serde::{Deserialize, Serialize};

use super::{fetch, server::Server};
use crate::source::target::Target;

/// The words of a server for a commit that somebody has forced off the branch since it listed its refs.
const MOVED: &str = "not our ref";
/// The most attempts, each with a new list.
const ATTEMPTS: u32 = 5;

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
        let mut attempts = 1;
        loop {
            match fetch::tip(clone, &server.repository, target, &connection) {
                Err(error) if attempts < ATTEMPTS && error.0.contains(MOVED) => attempts += 1,
                done => return done.map_err(|error| error.0),
            }
        }
    }
}
