//! A request that is being done.

use std::{collections::BTreeMap, sync::Arc};

use policies::{Digest, language::PolicyName};
use tokio::sync::OwnedSemaphorePermit;

use super::{order::Order, outcome::Done, ticket::Ticket};
use crate::{access::rights::Rights, source::ancestry::CommitId};

/// A request that is to be done.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) order: Order,
    pub(super) ticket: Ticket,
    /// The policies that it concerns, as they were when it was planned first.
    pub(super) first_seen: BTreeMap<PolicyName, Seen>,
    /// Its place among those that wait.
    pub(super) _place: OwnedSemaphorePermit,
}

/// A policy as it stood when a request was planned.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) print: String,
    /// True if that state was not fetched: a change since then may be older than the request.
    pub(super) is_assumed: bool,
}

/// A request that is a commit.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) pending: Pending,
    pub(super) commit: CommitId,
    pub(super) done: Done,
}

/// What is kept of a request that is a commit, to tell its end: neither its documents nor its place.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) fingerprint: Digest,
    pub(super) rights: Arc<Rights>,
    pub(super) names: Vec<PolicyName>,
    pub(super) ticket: Ticket,
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

impl From<Link> for Record {
    fn from(Link { pending: Pending { order, ticket, .. }, commit, done }: Link) -> Self {
        let names = order.names();
        let Order { id, fingerprint, rights, .. } = order;
        Self { id, fingerprint, rights, names, ticket, commit, done }
    }
}
