//! A client that runs a commit which this replica may not have: the replica fetches before it answers, so that
//! filters never go back.

use std::time::Duration;

use axum::http::HeaderMap;
use tokio::time::timeout;

use super::{headers::REVISION, state::Served};
use crate::{
    serving::published::{Publication, Published},
    source::{Revision, ancestry::CommitId},
};

#[cfg(test)]
mod tests;

/// The longest revision that is kept of a poll. Git takes no longer names of branches on most file systems.
const MAX_REVISION_BYTES: usize = 512;

/// The longest hold of a client that did not ask to wait.
const UNASKED: Duration = Duration::from_secs(5);

/// The revision that a client runs. Absent if it names no commit, since others have no order; and once a fetch has
/// told that the branch does not have it. Small, because it is kept while the client waits.
#[derive(Debug)]
pub(crate) struct Running(Option<Revision>);

/// The client runs this revision, and this replica may be behind it.
#[derive(Debug)]
pub(crate) struct Behind(pub(crate) Revision);

impl Running {
    pub(crate) fn of(served: &Served, headers: &HeaderMap) -> Self {
        Self(named(headers).map(|named| match served.publisher.publication() {
            // Nearly all clients run it: they share one text.
            Publication::Serving(published) if published.whole.revision.as_str() == named => {
                published.whole.revision.clone()
            }
            _ => Revision::new(named.to_owned()),
        }))
    }

    /// The revision to name in an answer that is made of `published`. An error: there may be no such answer.
    pub(crate) fn answered_with(&self, published: &Published) -> Result<Revision, Behind> {
        match &self.0 {
            Some(running) => published.revision_for(running).cloned().ok_or_else(|| Behind(running.clone())),
            None => Ok(published.whole.revision.clone()),
        }
    }

    /// True if this replica may be behind what the client runs.
    pub(crate) fn is_ahead_of(&self, newest: &Publication) -> bool {
        match (&self.0, newest) {
            (Some(running), Publication::Serving(published)) => published.revision_for(running).is_none(),
            _ => false,
        }
    }

    /// Waits until this replica is no longer behind, until `wait` is over, or until the server ends.
    pub(crate) async fn catch_up(&mut self, served: &Served, wait: Option<Duration>) {
        if has_fetched(served, wait, |newest| !self.is_ahead_of(newest)).await {
            // What is still unknown after a fetch was forced off the branch, or never was on it.
            self.0 = None;
        }
    }
}

/// The revision that a request names, if it is that of a commit.
pub(super) fn named(headers: &HeaderMap) -> Option<&str> {
    // A branch may have any name.
    let named = headers.get(REVISION).and_then(|revision| str::from_utf8(revision.as_bytes()).ok());
    named.filter(|named| named.len() <= MAX_REVISION_BYTES && CommitId::of_revision(named).is_some())
}

/// Fetches, and waits until that has succeeded, until `is_enough` is true of what is served, until `wait` is over, or
/// until the server ends. Returns true if the fetch has succeeded.
pub(super) async fn has_fetched(
    served: &Served,
    wait: Option<Duration>,
    is_enough: impl Fn(&Publication) -> bool,
) -> bool {
    let fetched = async {
        tokio::select! {
            () = served.syncs.sync() => true,
            () = served.publisher.until(is_enough) => false,
            () = served.shutdown.requested() => false,
        }
    };
    timeout(wait.unwrap_or(UNASKED), fetched).await == Ok(true)
}
