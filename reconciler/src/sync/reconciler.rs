//! The loop that keeps what is served equal to what the source says.

mod publishing;

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time::Instant};
use tracing::{debug, info, warn};

use super::{
    cause::Cause,
    loader::{Loaded, Loader},
    requests::Syncs,
    schedule::Schedule,
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

/// The time from a hint to the read: an editor changes several files at once, and so does who replaces keys.
const SETTLE: Duration = Duration::from_millis(10);
/// The same where a push is all that is noticed: it moves a ref, and is done.
const SETTLE_REF: Duration = Duration::from_millis(2);
/// The time that the first read may take before the state of an earlier process is served.
const FIRST_READ: Duration = Duration::from_secs(2);
/// The interval of checks of the signature while the source is read.
const SIGNATURE_PERIOD: Duration = Duration::from_secs(1);

/// Reads the source when there is a cause, and publishes the result.
#[derive(Debug)]
pub struct Reconciler {
    /// Absent while a reconcile has it.
    work: Option<Box<Work>>,
    watcher: Option<Watcher>,
    gate: Arc<Gate>,
    syncs: Arc<Syncs>,
    /// Present where commits must be signed.
    signature_watch: Option<SignatureWatch>,
    unselected: UnselectedPolicies,
    /// The state of an earlier process, until there is something to serve.
    restored: Option<Loaded>,
    schedule: Schedule,
}

/// The parts that a reconcile takes along while it blocks.
#[derive(Debug)]
struct Work {
    source: Source,
    loader: Loader,
}

impl Reconciler {
    /// A loop over `source`, whose files `loader` reads. `watcher` is what gives the hints that [`run`](Self::run) waits for.
    pub fn new(
        source: Source,
        loader: Loader,
        watcher: Option<Watcher>,
        gate: Arc<Gate>,
        syncs: Arc<Syncs>,
        interval: Duration,
    ) -> Self {
        Self {
            work: Some(Box::new(Work { source, loader })),
            watcher,
            gate,
            syncs,
            signature_watch: None,
            unselected: UnselectedPolicies::default(),
            restored: None,
            schedule: Schedule::new(interval, Instant::now()),
        }
    }

    /// Withdraws what is in force as soon as `signature_watch` refuses its signature.
    pub fn with_signature_watch(self, signature_watch: Option<SignatureWatch>) -> Self {
        Self { signature_watch, ..self }
    }

    /// Runs until shutdown. An error is one that no retry can repair.
    pub async fn run(mut self, hints: Arc<Hints>, shutdown: Shutdown) -> Result<(), ReconcileError> {
        let mut cause = Cause::Start;
        self.restore().await?;
        loop {
            debug!(%cause, "reconciling");
            match cause {
                Cause::Expiry => self.expire(),
                _ => self.reconcile(cause, &shutdown).await?,
            }
            let (next, expiry) = (self.schedule.next(), self.next_expiry());
            // Every branch is cancel-safe: a hint is either taken or left for the next turn.
            cause = tokio::select! {
                () = shutdown.requested() => return Ok(()),
                () = hints.noticed() => self.settle(&hints).await,
                () = self.syncs.due() => Cause::Request,
                () = at(expiry) => Cause::Expiry,
                () = tokio::time::sleep_until(next) => self.schedule.take(),
            };
        }
    }

    async fn settle(&mut self, hints: &Hints) -> Cause {
        let is_push =
            self.signature_watch.is_none() && self.watcher.as_ref().is_some_and(Watcher::is_of_refs);
        tokio::time::sleep(if is_push { SETTLE_REF } else { SETTLE }).await;
        hints.take_noticed();
        if hints.take_folder_created() {
            self.schedule.directory_created(Instant::now());
        }
        Cause::Change
    }

    /// Reads the state of an earlier process. It is served only if the source cannot be read soon, since it may be
    /// out of date.
    async fn restore(&mut self) -> Result<(), ReconcileError> {
        let task = self.blocking(|Work { source, loader }| loader.restore(source))?;
        let (work, restored) = task.await.map_err(|_| ReconcileError::Lost)?;
        self.work = Some(work);
        self.restored = restored;
        Ok(())
    }

    /// Runs blocking work on a thread for it, which gives back what it worked on.
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

    async fn reconcile(&mut self, cause: Cause, shutdown: &Shutdown) -> Result<(), ReconcileError> {
        if let Some(watcher) = &mut self.watcher {
            watcher.renew();
        }
        // First, since the source may take long, or not be readable at all.
        self.verify().await;
        let begun = Instant::now();
        self.syncs.begin();
        let abort = self.work.as_ref().map(|work| work.source.abort()).unwrap_or_default();
        let task = self.blocking(|Work { source, loader }| loader.load(source))?;
        let loaded = self.done(task, Some(begun + FIRST_READ), &abort, shutdown).await?;
        if abort.is_requested() {
            return Ok(());
        }
        match loaded {
            Ok(loaded) => {
                let failures = self.schedule.succeeded();
                if failures > 0 {
                    info!(failures, "the source can be read again");
                }
                match loaded {
                    Some(loaded) => {
                        self.publish(loaded, None, cause, begun.elapsed());
                    }
                    None => {
                        // Its signer may be trusted again by now.
                        self.verify().await;
                        self.catch_up_with_the_clock();
                    }
                }
                self.restored = None;
                self.syncs.succeeded(begun.elapsed());
            }
            Err(error) => self.failed(&error, begun.elapsed()).await,
        }
        // After publishing, since nobody waits for this. A refused commit was fetched too.
        let task = self.blocking(|Work { source, .. }| source.tidy())?;
        self.done(task, None, &abort, shutdown).await?;
        self.schedule.finished(Instant::now(), random());
        Ok(())
    }

    /// Waits for blocking work. Meanwhile policies start and end in time, and are withdrawn when they must be.
    async fn done<T>(
        &mut self,
        mut task: JoinHandle<(Box<Work>, T)>,
        mut restore_at: Option<Instant>,
        abort: &Abort,
        shutdown: &Shutdown,
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
        self.schedule.failed();
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
        self.syncs.failed(took, error.to_string());
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

/// A random number from 0 to 1.
fn random() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    // A fresh `RandomState` is keyed by the system's entropy: no generator of our own is needed.
    (RandomState::new().hash_one(0) % 1_000) as f64 / 1_000.0
}

/// The error that ends the loop.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error("a reconcile panicked, and what it worked on is lost")]
    Lost,
    #[error("a task that follows halts panicked: nobody would notice the next one")]
    HaltsUnfollowed,
}
