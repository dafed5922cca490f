//! A request that is being done.

use tokio::sync::OwnedSemaphorePermit;

use super::{order::Order, outcome::Done, ticket::Ticket};
use crate::source::ancestry::CommitId;

/// A request that is to be done.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) order: Order,
    pub(super) ticket: Ticket,
    /// The policies that it concerns, as they were when it was planned first.
    pub(super) first_seen: Option<Vec<String>>,
    /// Its place among those that wait.
    pub(super) _place: OwnedSemaphorePermit,
}

/// A request that is a commit.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) pending: Pending,
    pub(super) commit: CommitId,
    pub(super) done: Done,
}

/// What is left to do.
#[derive(Debug)]
pub(super) enum Next {
    Nothing,
    /// These wrote nothing, and are to be tried again.
    Again(Vec<Pending>),
    /// One of these spoils the others: each is to be tried alone.
    Alone(Vec<Pending>),
}
