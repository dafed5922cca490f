//! The loop that keeps what is served equal to what the source says.

mod publishing;

use std::{fmt, sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time::Instant};
use tracing::{debug, info, warn};

use super::{
    loader::{Loaded, Loader},
    requests::Refresh,
    signature_watch::SignatureWatch,
};
use crate::{
    clock::now,
    serving::{gate::Gate, unselected::UnselectedPolicies},
    shutdown::Shutdown,
    source::{
        Source, SourceError,
        abort::Abort,
        watch::{Hints, Watcher},
    },
};

/// How long after a hint the source is read: an editor and a push do several things at once.
const SETTLE: Duration = Duration::from_millis(10);
/// How long after a folder came into being it is looked at once more.
const SECOND_LOOK: Duration = Duration::from_millis(250);
/// How long the first look may take before what an earlier process left is served.
const FIRST_LOOK: Duration = Duration::from_secs(2);
/// The interval of checks of the signature while the source is read.
const SIGNATURE_PERIOD: Duration = Duration::from_secs(1);
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// Reads the source whenever there is a cause, and publishes what it says.
#[derive(Debug)]
pub struct Reconciler {
    /// Absent while a reconcile has it.
    work: Option<Box<Work>>,
    watcher: Option<Watcher>,
    gate: Arc<Gate>,
    refresh: Arc<Refresh>,
    /// Where commits have to be signed.
    signature_watch: Option<SignatureWatch>,
    unselected: UnselectedPolicies,
    /// What an earlier process left, until there is something to serve.
    restored: Option<Loaded>,
    interval: Duration,
    failures: u32,
    /// When the source is looked at without a cause.
    next_look: Instant,
    second_look: Option<Instant>,
}

/// What a reconcile needs to itself while it blocks.
#[derive(Debug)]
struct Work {
    source: Source,
    loader: Loader,
}

/// Why the loop woke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Start,
    Interval,
    Retry,
    Change,
    /// Somebody asked.
    Request,
    SecondLook,
    /// A policy reached its beginning or its end.
    Expiry,
}

impl Reconciler {
    /// A loop over `source`, whose files `loader` reads. `watcher` is what gives the hints that [`run`](Self::run) waits for.
    pub fn new(
        source: Source,
        loader: Loader,
        watcher: Option<Watcher>,
        gate: Arc<Gate>,
        refresh: Arc<Refresh>,
        interval: Duration,
    ) -> Self {
        Self {
            work: Some(Box::new(Work { source, loader })),
            watcher,
            gate,
            refresh,
            signature_watch: None,
            unselected: UnselectedPolicies::default(),
            restored: None,
            interval,
            failures: 0,
            next_look: Instant::now(),
            second_look: None,
        }
    }

    /// Withdraws what is in force as soon as `signature_watch` refuses its signature.
    pub fn with_signature_watch(self, signature_watch: Option<SignatureWatch>) -> Self {
        Self { signature_watch, ..self }
    }

    /// Runs until shutdown. An error is one that no retry can mend.
    pub async fn run(mut self, hints: Arc<Hints>, mut shutdown: Shutdown) -> Result<(), ReconcileError> {
        let mut cause = Cause::Start;
        self.restore().await?;
        loop {
            debug!(%cause, "reconciling");
            match cause {
                Cause::Expiry => self.expire(),
                _ => self.reconcile(cause, &mut shutdown).await?,
            }
            let (next_look, second_look, expiry) = (self.next_look, self.second_look, self.next_expiry());
            // Every branch is cancel-safe: a hint is either taken or left for the next turn.
            cause = tokio::select! {
                () = shutdown.requested() => return Ok(()),
                () = hints.noticed() => self.settle(&hints).await,
                () = self.refresh.due() => Cause::Request,
                () = at(second_look) => {
                    self.second_look = None;
                    Cause::SecondLook
                }
                () = at(expiry) => Cause::Expiry,
                () = tokio::time::sleep_until(next_look) => if self.failures > 0 { Cause::Retry } else { Cause::Interval },
            };
        }
    }

    async fn settle(&mut self, hints: &Hints) -> Cause {
        tokio::time::sleep(SETTLE).await;
        hints.take_noticed();
        if hints.take_folder_created() {
            self.second_look = Some(Instant::now() + SECOND_LOOK);
        }
        Cause::Change
    }

    /// Reads what an earlier process left. It is served only if the source cannot be read soon, since
    /// it may be out of date.
    async fn restore(&mut self) -> Result<(), ReconcileError> {
        let task = self.blocking(|Work { source, loader }| loader.restore(source))?;
        let (work, restored) = task.await.map_err(|_| ReconcileError::Lost)?;
        self.work = Some(work);
        self.restored = restored;
        Ok(())
    }

    /// Does what blocks, on a thread for such work, which gives back what it worked on.
    fn blocking<T: Send + 'static>(
        &mut self,
        run: impl FnOnce(&mut Work) -> T + Send + 'static,
    ) -> Result<JoinHandle<(Box<Work>, T)>, ReconcileError> {
        let Some(mut work) = self.work.take() else { return Err(ReconcileError::Lost) };
        Ok(tokio::task::spawn_blocking(move || {
            let done = run(&mut work);
            (work, done)
        }))
    }

    async fn reconcile(&mut self, cause: Cause, shutdown: &mut Shutdown) -> Result<(), ReconcileError> {
        if let Some(watcher) = &mut self.watcher {
            watcher.renew();
        }
        // However long the source takes, or whether it can be read at all.
        self.verify().await;
        let begun = Instant::now();
        self.refresh.begin();
        let abort = self.work.as_ref().map(|work| work.source.abort()).unwrap_or_default();
        let task = self.blocking(|Work { source, loader }| loader.load(source))?;
        let loaded = self.done(task, Some(begun + FIRST_LOOK), &abort, shutdown).await?;
        if abort.is_requested() {
            return Ok(());
        }
        match loaded {
            Ok(loaded) => {
                if self.failures > 0 {
                    info!(failures = self.failures, "the source can be read again");
                }
                self.failures = 0;
                match loaded {
                    Some(loaded) => {
                        self.publish(loaded, None, cause, begun.elapsed());
                    }
                    None => {
                        // Whoever signed it may have been let in again meanwhile.
                        self.verify().await;
                        self.catch_up_with_the_clock();
                    }
                }
                self.restored = None;
                self.refresh.succeeded(begun.elapsed());
            }
            Err(error) => self.failed(&error, begun.elapsed()).await,
        }
        // Once what is new is served: nobody waits for this. What is refused was fetched all the same.
        let task = self.blocking(|Work { source, .. }| source.tidy())?;
        self.done(task, None, &abort, shutdown).await?;
        self.next_look = Instant::now() + self.look_again();
        Ok(())
    }

    /// Waits for what blocks. However long it takes, what is served keeps its times, and is withdrawn when it
    /// has to be.
    async fn done<T>(
        &mut self,
        mut task: JoinHandle<(Box<Work>, T)>,
        mut restore_at: Option<Instant>,
        abort: &Abort,
        shutdown: &mut Shutdown,
    ) -> Result<T, ReconcileError> {
        let mut verify_at = self.signature_watch.as_ref().map(|_| Instant::now() + SIGNATURE_PERIOD);
        let done = loop {
            let expiry = self.next_expiry();
            tokio::select! {
                done = &mut task => break done,
                () = at(restore_at) => {
                    restore_at = None;
                    self.serve_restored().await;
                }
                () = at(verify_at) => {
                    self.verify().await;
                    verify_at = Some(Instant::now() + SIGNATURE_PERIOD);
                }
                () = at(expiry) => self.expire(),
                () = shutdown.requested(), if !abort.is_requested() => abort.request(),
            }
        };
        let (work, done) = done.map_err(|_| ReconcileError::Lost)?;
        self.work = Some(work);
        Ok(done)
    }

    async fn failed(&mut self, error: &SourceError, took: Duration) {
        self.failures = self.failures.saturating_add(1);
        self.serve_restored().await;
        match self.gate.whole() {
            Some(whole) if self.gate.withdrawn().is_some() => {
                warn!(%error, revision = %whole.revision, "nothing is in force: the last good revision is withdrawn");
            }
            Some(whole) => {
                warn!(%error, revision = %whole.revision, "the last good revision stays in force");
            }
            None => warn!(%error, "nothing to serve yet"),
        }
        self.gate.not_yet(error.to_string());
        self.refresh.failed(took, error.to_string());
    }

    /// How long to wait for a cause before looking without one.
    fn look_again(&self) -> Duration {
        match self.failures {
            0 => jittered(self.interval),
            failures => jittered(FIRST_RETRY.saturating_mul(1 << (failures - 1).min(16)).min(self.interval)),
        }
    }

    fn next_expiry(&self) -> Option<Instant> {
        let next = self.gate.next_change()?;
        Some(Instant::now() + Duration::from_millis(next.millis_since(now())))
    }
}

/// Waits until then, or for ever.
async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// Nine to eleven tenths, so that replicas do not fetch in step.
fn jittered(duration: Duration) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    let fifth = duration / 5;
    // A fresh `RandomState` is keyed by the system's entropy: no generator of our own is needed.
    let random = RandomState::new().hash_one(0) % 1_000;
    duration - fifth / 2 + fifth.mul_f64(random as f64 / 1_000.0)
}

/// What ends the loop for good.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error("a reconcile panicked, and what it worked on is lost")]
    Lost,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Interval => "interval",
            Self::Retry => "retry",
            Self::Change => "change",
            Self::Request => "request",
            Self::SecondLook => "second look",
            Self::Expiry => "expiry",
        })
    }
}
