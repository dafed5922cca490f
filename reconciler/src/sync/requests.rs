//! Asking for a look at the source, and what came of the looks so far.
//!
//! Whoever learns that there may be something new asks: a push hook, a filter that runs a commit which
//! is unknown here. However many ask, one look a second at most is taken for all of them.

use std::time::Duration;

use policies::Timestamp;
use tokio::{sync::watch, time::Instant};

use crate::{
    clock::now,
    telemetry::counters::{Counters, Outcome},
};

/// How far apart the looks that are asked for begin.
const SPACING: Duration = Duration::from_secs(1);

/// Takes wishes for a look, and tells how the looks went. The reconcile loop takes them.
#[derive(Debug, Default)]
pub struct Refresh {
    looks: watch::Sender<Looks>,
    /// The counters of the process; the number and the times of looks are among them.
    pub counters: Counters,
}

/// The looks at the source so far. They are numbered from 1.
#[derive(Clone, Debug, Default)]
pub struct Looks {
    begun: u64,
    /// The newest that somebody asked for.
    wanted: u64,
    /// When one that somebody asked for began.
    asked_at: Option<Instant>,
    succeeded: u64,
    /// When the source was last read from end to end.
    pub read_at: Option<Timestamp>,
    /// What is served is what an earlier process left.
    pub restored: bool,
    /// The failures since then, if there were any.
    pub failure: Option<Failure>,
}

/// A source that cannot be read.
#[derive(Clone, Debug)]
pub struct Failure {
    /// When the first look failed.
    pub since: Timestamp,
    /// When the last one did.
    pub at: Timestamp,
    /// Why it did; free of secrets.
    pub reason: String,
}

impl Refresh {
    /// Asks for a look that begins from now on. Waits for nothing; to be asked often is cheap.
    pub fn ask(&self) {
        self.want();
    }

    /// Asks for a look that begins from now on, and waits until such a one has succeeded.
    pub async fn look(&self) {
        let mut looks = self.looks.subscribe();
        let wanted = self.want();
        // An error means that the loop is gone, and whoever waits is let go with it.
        let _ = looks.wait_for(|looks| looks.succeeded >= wanted).await;
    }

    /// How the looks went.
    pub fn looks(&self) -> Looks {
        self.looks.borrow().clone()
    }

    /// Hears of whatever becomes of the looks from now on.
    pub fn watch(&self) -> watch::Receiver<Looks> {
        self.looks.subscribe()
    }

    /// The number of the next look, which is wanted now.
    fn want(&self) -> u64 {
        let mut next = 0;
        self.looks.send_if_modified(|looks| {
            next = looks.begun + 1;
            std::mem::replace(&mut looks.wanted, next) != next
        });
        next
    }

    /// Waits until it is time for a look that somebody asked for. Cancel-safe: what is asked for stays
    /// so until a look begins.
    pub(crate) async fn due(&self) {
        let mut looks = self.looks.subscribe();
        let asked = looks.wait_for(|looks| looks.wanted > looks.begun).await;
        // The sender is `self`: it is never gone.
        let asked_at = asked.map_or(None, |looks| looks.asked_at);
        if let Some(asked_at) = asked_at {
            tokio::time::sleep_until(asked_at + SPACING).await;
        }
    }

    /// A look begins.
    pub(crate) fn begin(&self) {
        self.looks.send_modify(|looks| {
            looks.begun += 1;
            if looks.begun == looks.wanted {
                looks.asked_at = Some(Instant::now());
            }
        });
    }

    /// The look that began last has succeeded, and what it saw is published.
    pub(crate) fn succeeded(&self, took: Duration) {
        self.counters.reconciles.note(Outcome::Success, took);
        self.looks.send_modify(|looks| {
            looks.succeeded = looks.begun;
            looks.read_at = Some(now());
            looks.restored = false;
            looks.failure = None;
        });
    }

    /// What is served is what an earlier process left.
    pub(crate) fn restored(&self) {
        self.looks.send_modify(|looks| looks.restored = true);
    }

    /// The look that began last has failed.
    pub(crate) fn failed(&self, took: Duration, reason: String) {
        self.counters.reconciles.note(Outcome::Failure, took);
        let at = now();
        self.looks.send_modify(|looks| {
            let since = looks.failure.as_ref().map_or(at, |failure| failure.since);
            looks.failure = Some(Failure { since, at, reason });
        });
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, time::Duration};

    use tokio::time::{Instant, timeout};

    use super::Refresh;

    const MOMENT: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn many_wishes_are_one_look_and_looks_are_a_second_apart() {
        let refresh = Refresh::default();
        assert!(timeout(MOMENT, refresh.due()).await.is_err(), "nobody has asked");
        refresh.begin();
        (0..3).for_each(|_| refresh.ask());
        let begun = Instant::now();
        refresh.due().await;
        assert_eq!(begun.elapsed(), Duration::ZERO, "the first is at once");
        refresh.begin();
        assert!(timeout(MOMENT, refresh.due()).await.is_err(), "one look was for all");
        refresh.ask();
        assert!(timeout(MOMENT, refresh.due()).await.is_err(), "too soon");
        refresh.due().await;
        assert_eq!(begun.elapsed().as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_was_under_way_already_does_not_count() {
        let refresh = Refresh::default();
        refresh.begin();
        let mut look = pin!(refresh.look());
        assert!(timeout(MOMENT, &mut look).await.is_err());
        refresh.succeeded(MOMENT);
        assert!(timeout(MOMENT, &mut look).await.is_err(), "it may have read before the wish");
        refresh.begin();
        refresh.failed(MOMENT, "no".into());
        assert!(timeout(MOMENT, &mut look).await.is_err(), "it failed");
        refresh.begin();
        refresh.succeeded(MOMENT);
        timeout(MOMENT, look).await.expect("it succeeded");
        assert!(refresh.looks().failure.is_none());
    }
}
