//! Requests for a sync.
//!
//! A sync is requested when there may be a new state: by a push notification, or for a filter that runs a commit
//! that is unknown here. Requests share a sync, and requested syncs begin at least a second apart.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};

use super::history::Attempts;
use crate::{
    clock::now,
    telemetry::counters::{Counters, Outcome},
};

/// The shortest time between the beginnings of two requested syncs.
const SPACING: Duration = Duration::from_secs(1);

/// Takes requests for a sync, and tells the results of the syncs. The reconcile loop serves them.
#[derive(Debug, Default)]
pub struct Syncs {
    progress: watch::Sender<Progress>,
    /// The counters of the process; the number and the durations of the syncs are among them.
    pub counters: Counters,
}

/// The syncs so far, and the requested one.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    attempts: Attempts,
    /// The number of the newest requested sync.
    wanted: u64,
    /// The time when the last requested sync began.
    requested_at: Option<Instant>,
}

impl Syncs {
    /// Requests a sync that begins from now on. Returns at once; frequent calls are cheap.
    pub fn request(&self) {
        self.want();
    }

    /// Requests a sync that begins from now on, and waits until such a one has succeeded.
    pub async fn sync(&self) {
        let mut progress = self.progress.subscribe();
        let wanted = self.want();
        // An error means that the loop is gone: nothing is left to wait for.
        let _ = progress.wait_for(|progress| progress.attempts.succeeded() >= wanted).await;
    }

    /// Requests a sync that begins at once, for a commit that was pushed from here.
    pub fn request_at_once(&self) {
        self.progress.send_modify(|progress| {
            progress.wanted = progress.attempts.begun() + 1;
            progress.requested_at = None;
        });
    }

    /// The results of the syncs so far.
    pub fn attempts(&self) -> Attempts {
        self.progress.borrow().attempts.clone()
    }

    /// Notices every change from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Requests the next sync, and returns its number.
    fn want(&self) -> u64 {
        let mut next = 0;
        self.progress.send_if_modified(|progress| {
            next = progress.attempts.begun() + 1;
            std::mem::replace(&mut progress.wanted, next) != next
        });
        next
    }

    /// Waits until a requested sync is due. Cancel-safe: the request stays until a sync begins.
    pub(crate) async fn due(&self) {
        let mut progress = self.progress.subscribe();
        loop {
            let requested = progress.wait_for(|progress| progress.wanted > progress.attempts.begun()).await;
            // The sender is `self`: it is never gone.
            let requested_at = requested.map_or(None, |progress| progress.requested_at);
            let Some(requested_at) = requested_at else { return };
            tokio::select! {
                () = tokio::time::sleep_until(requested_at + SPACING) => return,
                _ = progress.changed() => {}
            }
        }
    }

    /// A sync begins.
    pub(crate) fn begin(&self) {
        self.progress.send_modify(|progress| {
            progress.attempts.begin();
            if progress.attempts.begun() == progress.wanted {
                progress.requested_at = Some(Instant::now());
            }
        });
    }

    /// The sync that began last has succeeded, and its result is published.
    pub(crate) fn succeeded(&self, took: Duration) {
        self.counters.reconciles.note(Outcome::Success, took);
        self.progress.send_modify(|progress| progress.attempts.succeed(now()));
    }

    /// The state of an earlier process is served.
    pub(crate) fn restored(&self) {
        self.progress.send_modify(|progress| progress.attempts.restore());
    }

    /// The sync that began last has failed.
    pub(crate) fn failed(&self, took: Duration, reason: String) {
        self.counters.reconciles.note(Outcome::Failure, took);
        self.progress.send_modify(|progress| progress.attempts.fail(now(), reason));
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, time::Duration};

    use tokio::time::{Instant, timeout};

    use super::Syncs;

    const MOMENT: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn many_requests_are_one_sync_and_requested_syncs_are_a_second_apart() {
        let syncs = Syncs::default();
        assert!(timeout(MOMENT, syncs.due()).await.is_err(), "nothing was requested");
        syncs.begin();
        (0..3).for_each(|_| syncs.request());
        let begun = Instant::now();
        syncs.due().await;
        assert_eq!(begun.elapsed(), Duration::ZERO, "the first is at once");
        syncs.begin();
        assert!(timeout(MOMENT, syncs.due()).await.is_err(), "one sync was for all");
        syncs.request();
        assert!(timeout(MOMENT, syncs.due()).await.is_err(), "too soon");
        syncs.due().await;
        assert_eq!(begun.elapsed().as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_commit_of_our_own_waits_for_nothing() {
        let syncs = Syncs::default();
        syncs.request();
        syncs.begin();
        syncs.request();
        let mut due = pin!(syncs.due());
        assert!(timeout(MOMENT, &mut due).await.is_err(), "too soon");
        let begun = Instant::now();
        syncs.request_at_once();
        due.await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sync_that_was_under_way_already_does_not_count() {
        let syncs = Syncs::default();
        syncs.begin();
        let mut sync = pin!(syncs.sync());
        assert!(timeout(MOMENT, &mut sync).await.is_err());
        syncs.succeeded(MOMENT);
        assert!(timeout(MOMENT, &mut sync).await.is_err(), "it may have read before the request");
        syncs.begin();
        syncs.failed(MOMENT, "no".into());
        assert!(timeout(MOMENT, &mut sync).await.is_err(), "it failed");
        syncs.begin();
        syncs.succeeded(MOMENT);
        timeout(MOMENT, sync).await.expect("it succeeded");
        assert!(syncs.attempts().failure.is_none());
    }
}
