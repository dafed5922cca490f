//! Limits the number of connections.
//!
//! Connections above the limit get 503, and probes still get their answer. A client in the backlog would
//! wait, although another replica may have room. When there are too many of these connections too, the next
//! ones are closed without an answer. A client with less than its share of the connections is not above the
//! limit: the oldest connection of the client that has most is closed for it.

use std::{net::IpAddr, sync::Arc};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::AbortHandle;

use crate::{
    client::Client,
    limits::{MAX_CONNECTIONS, MAX_EXTRA, RESERVED_FILES},
    places::{Key, Place, Places},
};

/// The kind of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// It may send any request.
    Regular,
    /// It is above the limit: it gets one answer, to a probe or 503.
    Extra,
}

/// Permission for one connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    pub(crate) slot: Slot,
    /// Absent in tests without a connection.
    address: Option<IpAddr>,
    place: Place<AbortHandle>,
}

/// The client of a connection, and the kind of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) client: Client,
    pub(crate) address: Option<IpAddr>,
    pub(crate) slot: Slot,
}

impl Permit {
    pub(crate) fn peer(&self) -> Peer {
        Peer { client: self.place.client(), address: self.address, slot: self.slot }
    }

    /// The same for a connection from this address.
    pub(crate) fn of(self, address: IpAddr) -> Self {
        Self { address: Some(address), ..self }
    }

    /// The name of the place, for [`ConnectionLimit::close_by`].
    pub(crate) fn place(&self) -> (Slot, Key) {
        (self.slot, self.place.key())
    }
}

/// The connections that may still be accepted.
#[derive(Debug)]
pub(crate) struct ConnectionLimit {
    regular: Arc<Places<AbortHandle>>,
    extra: Arc<Places<AbortHandle>>,
    limit: usize,
}

impl ConnectionLimit {
    /// Raises the limit of open files, and derives this limit from it.
    pub(crate) fn new() -> Self {
        Self::of(limit(raise_open_files()))
    }

    fn of(limit: usize) -> Self {
        Self { regular: Places::new(limit), extra: Places::new(MAX_EXTRA), limit }
    }

    pub(crate) fn regular(&self) -> usize {
        self.limit
    }

    /// Takes a regular slot, else an extra one; `None` if the client gets neither.
    pub(crate) fn take(&self, client: Client) -> Option<Permit> {
        let taken = |slot| Some(Permit { slot, address: None, place: self.places(slot).take(client)? });
        taken(Slot::Regular).or_else(|| taken(Slot::Extra))
    }

    /// Sets the task of the connection in a place: it is aborted when another client gets the place.
    pub(crate) fn close_by(&self, (slot, key): (Slot, Key), task: AbortHandle) {
        self.places(slot).close_by(key, task);
    }

    /// Waits until all permits are dropped.
    pub(crate) async fn all_free(&self) {
        self.regular.all_free().await;
        self.extra.all_free().await;
    }

    fn places(&self, slot: Slot) -> &Arc<Places<AbortHandle>> {
        match slot {
            Slot::Regular => &self.regular,
            Slot::Extra => &self.extra,
        }
    }
}

/// Raises the soft limit of open files to the hard one, and returns it.
fn raise_open_files() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // If that is refused, the limit stays.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    let current = getrlimit(Resource::Nofile).current;
    current.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX)
}

/// The part of the open files that connections may use.
fn limit(files: usize) -> usize {
    let reserved = (RESERVED_FILES + MAX_EXTRA).min(files / 2);
    (files - reserved).clamp(1, MAX_CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::{Client, ConnectionLimit, MAX_CONNECTIONS, MAX_EXTRA, Slot, limit};

    #[test]
    fn connections_leave_files_to_others() {
        assert_eq!([0, 1, 64, 4_096, 20_000].map(limit), [1, 1, 32, 2_944, 18_848]);
        assert_eq!(limit(usize::MAX), MAX_CONNECTIONS);
    }

    #[tokio::test]
    async fn connections_above_the_limit_get_an_extra_slot_and_then_none() {
        let limit = ConnectionLimit::of(2);
        let mut taken: Vec<_> = (0..2 + MAX_EXTRA).map(|_| limit.take(Client::default()).unwrap()).collect();
        assert!(taken.iter().take(2).all(|permit| permit.slot == Slot::Regular));
        assert!(taken.iter().skip(2).all(|permit| permit.slot == Slot::Extra));
        assert!(limit.take(Client::default()).is_none());
        taken.remove(0);
        assert!(limit.take(Client::default()).is_some_and(|permit| permit.slot == Slot::Regular));
        drop(taken);
        limit.all_free().await;
    }
}
