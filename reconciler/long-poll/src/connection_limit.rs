//! How many connections there may be at once.
//!
//! Who comes when there is no place is told so at once, since elsewhere there may be a replica that has
//! some: in the backlog it would wait for nothing, and so would the probes that decide whether this
//! process lives. Whoever comes while there are too many to be told even that is closed without a word.

use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{MAX_CONNECTIONS, MAX_EXTRA, RESERVED_FILES};

/// What a connection may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Everything.
    Regular,
    /// Beyond the limit: how this replica is, once.
    Extra,
}

/// A place that is taken for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) place: Place,
    _permit: OwnedSemaphorePermit,
}

/// The places that are free.
#[derive(Debug)]
pub(crate) struct Places {
    regular: Arc<Semaphore>,
    extra: Arc<Semaphore>,
    limit: usize,
}

impl Places {
    /// As many as fit, once as many files may be open as the system allows.
    pub(crate) fn new() -> Self {
        Self::of(limit(raise_open_files()))
    }

    fn of(limit: usize) -> Self {
        Self { regular: Arc::new(Semaphore::new(limit)), extra: Arc::new(Semaphore::new(MAX_EXTRA)), limit }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// A place; `None` if there is not even an extra one.
    pub(crate) fn take(&self) -> Option<Seat> {
        let taken = |places: &Arc<Semaphore>, place| {
            let permit = Arc::clone(places).try_acquire_owned().ok()?;
            Some(Seat { place, _permit: permit })
        };
        taken(&self.regular, Place::Regular).or_else(|| taken(&self.extra, Place::Extra))
    }

    /// Waits until all are free.
    pub(crate) async fn all_free(&self) {
        // More of them than `u32` counts there are not; neither is ever closed.
        let all = |places: usize| u32::try_from(places).unwrap_or(u32::MAX);
        let _ = self.regular.acquire_many(all(self.limit)).await;
        let _ = self.extra.acquire_many(all(MAX_EXTRA)).await;
    }
}

/// Takes what the system allows; the number of files that may be open.
fn raise_open_files() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Refused, it stays as it is.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    let current = getrlimit(Resource::Nofile).current;
    current.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX)
}

/// How many of those files may be connections.
fn limit(files: usize) -> usize {
    let reserved = (RESERVED_FILES + MAX_EXTRA).min(files / 2);
    (files - reserved).clamp(1, MAX_CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::{MAX_CONNECTIONS, MAX_EXTRA, Place, Places, limit};

    #[test]
    fn connections_leave_files_to_others() {
        assert_eq!([0, 1, 64, 4_096, 20_000].map(limit), [1, 1, 32, 2_944, 18_848]);
        assert_eq!(limit(usize::MAX), MAX_CONNECTIONS);
    }

    #[tokio::test]
    async fn who_comes_too_late_gets_an_extra_place_and_then_none() {
        let places = Places::of(2);
        let mut taken: Vec<_> = (0..2 + MAX_EXTRA).map(|_| places.take().unwrap()).collect();
        assert!(taken.iter().take(2).all(|seat| seat.place == Place::Regular));
        assert!(taken.iter().skip(2).all(|seat| seat.place == Place::Extra));
        assert!(places.take().is_none());
        taken.remove(0);
        assert!(places.take().is_some_and(|seat| seat.place == Place::Regular));
        drop(taken);
        places.all_free().await;
    }
}
