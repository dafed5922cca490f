//! The requests that wait, and the wait until a commit is served.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::Instant,
};

use policies::Digest;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch},
    time::{sleep_until, timeout_at},
};

use super::{
    file_change::{Changed, FileChange, Waiting},
    leaving::Left,
    memory::Memory,
    order::Order,
    outcome::{Done, Refusal},
    pending::Pending,
    settings::Settings,
    ticket::{Claim, ticket},
    worker::{Message, Worker},
};
use crate::{
    serving::{published::Publication, publisher::Publisher},
    source::{SourceError, abort::Abort, ancestry::CommitId},
    sync::requests::Syncs,
};

/// The number of requests that wait or are being done; more are refused.
pub const MAX_WAITING: usize = 64;
/// The places in the queue for changes of files that are no policies, beside those of requests.
const FILE_CHANGES: usize = 8;
/// The bytes of the documents of all requests at once. Parsed, they take up to 50 times as much memory.
pub const MAX_WAITING_BYTES: u32 = 2 << 20;

/// The way to change policies.
#[derive(Debug)]
pub struct Writes {
    messages: SyncSender<Message>,
    memory: Memory,
    places: Arc<Semaphore>,
    room: Arc<Semaphore>,
    publisher: Arc<Publisher>,
    /// The branch, as revisions name it.
    label: String,
    abort: Abort,
    /// Changes when the thread has ended.
    ended: watch::Receiver<()>,
}

impl Writes {
    /// Starts the thread that writes. Nothing is fetched before the first request.
    pub fn start(
        settings: Settings,
        label: String,
        publisher: Arc<Publisher>,
        syncs: Arc<Syncs>,
    ) -> Result<Self, SourceError> {
        let memory = Memory::default();
        let worker = Worker::new(settings, Arc::clone(&publisher), syncs, memory.clone())?;
        let abort = worker.writer.abort();
        let (messages, received) = sync_channel(MAX_WAITING + FILE_CHANGES);
        let places = Arc::new(Semaphore::new(MAX_WAITING));
        let room = Arc::new(Semaphore::new(MAX_WAITING_BYTES as usize));
        let (running, ended) = watch::channel(());
        let run = move || {
            worker.run(&received);
            drop(running);
        };
        let started = thread::Builder::new().name("writes".to_owned()).spawn(run);
        started.map_err(|error| SourceError(format!("cannot start a thread for writes: {error}")))?;
        Ok(Self { messages, memory, places, room, publisher, label, abort, ended })
    }

    /// Does a request. If its client leaves, it is not done unless its push has begun.
    pub async fn write(&self, order: Order, left: &mut Left) -> Result<Done, Refusal> {
        let fingerprint = order.fingerprint;
        let done = self.done(order, left).await;
        done.map_err(|refusal| self.or_unknown(fingerprint, refusal))
    }

    /// The refusal of a request, unless the same one was sent before and may be in Git: then it must not be said that
    /// nothing was written.
    pub fn or_unknown(&self, fingerprint: Digest, refusal: Refusal) -> Refusal {
        match (refusal, self.memory.commit_of(fingerprint)) {
            (Refusal::Unavailable(_), Some(commit)) => Refusal::Unknown { commit },
            (refusal, _) => refusal,
        }
    }

    /// Remembers an outcome whose client has left before it heard it.
    pub fn remember(&self, fingerprint: Digest, done: Done) {
        // Without a commit the same request again does no harm.
        if done.commit.is_some() {
            self.memory.remember(fingerprint, done);
        }
    }

    async fn done(&self, order: Order, left: &mut Left) -> Result<Done, Refusal> {
        let deadline = order.deadline;
        let (ticket, mut claim) = ticket(order.fingerprint, self.memory.clone());
        let full =
            |_| Refusal::Unavailable(format!("{MAX_WAITING} writes wait already; nothing was written"));
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(full)?;
        let pending = Pending { order, ticket, first_seen: BTreeMap::new(), _place: place };
        let ends = || Refusal::Unavailable("this replica ends; nothing was written".to_owned());
        self.messages.try_send(Message::Write(Box::new(pending))).map_err(|_| ends())?;
        let heard = tokio::select! {
            biased;
            answer = timeout_at(deadline.into(), &mut claim.answer) => answer.ok(),
            () = left.left() => match claim.give_up() {
                None => return Err(Refusal::Left),
                // The log tells the end of a push that has begun.
                Some(_) => timeout_at(deadline.into(), &mut claim.answer).await.ok(),
            },
        };
        match heard {
            Some(Ok(answer)) => answer,
            Some(Err(_)) if claim.give_up().is_none() && left.has_left() => Err(Refusal::Left),
            // The thread has ended. A push of it may have begun.
            Some(Err(_)) => Err(unheard(&claim, ends)),
            None => {
                // From here on the worker sees that nobody hears it.
                let refusal = unheard(&claim, || claim.late());
                claim.answer.try_recv().unwrap_or(Err(refusal))
            }
        }
    }

    /// Changes a file that is no policy. It waits for no request: only for the push that is under way.
    pub async fn change_file(&self, change: FileChange) -> Result<Changed, Refusal> {
        let (answer, changed) = oneshot::channel();
        let busy = |_| Refusal::Unavailable("too many changes wait already, or this replica ends".to_owned());
        self.messages.try_send(Message::Change(Box::new(Waiting { change, answer }))).map_err(busy)?;
        let ends = |_| Refusal::Unavailable("this replica ends; the change may have been made".to_owned());
        changed.await.map_err(ends)?
    }

    /// Memory for documents of so many bytes, which others may take until then.
    pub async fn room(&self, bytes: usize, deadline: Instant) -> Result<OwnedSemaphorePermit, Refusal> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(MAX_WAITING_BYTES);
        let room = timeout_at(deadline.into(), Arc::clone(&self.room).acquire_many_owned(bytes)).await;
        room.ok()
            .and_then(Result::ok)
            .ok_or_else(|| Refusal::Unavailable("large changes wait already; nothing was written".to_owned()))
    }

    /// Waits until a commit is served; false if the deadline is sooner.
    pub async fn until_served(&self, commit: CommitId, deadline: Instant) -> bool {
        let has_it = |newest: &Publication| match newest {
            Publication::Serving(published) => {
                let commits = published.whole.ancestry.commits();
                published.holds.withdrawn.is_none()
                    && commits.is_some_and(|commits| commits.contains(&commit))
            }
            Publication::Starting { .. } => false,
        };
        tokio::select! {
            () = self.publisher.until(has_it) => true,
            () = sleep_until(deadline.into()) => false,
        }
    }

    /// The revision of a commit of the branch.
    pub fn revision(&self, commit: CommitId) -> String {
        format!("{}@sha1:{commit}", self.label)
    }

    /// True if the thread has ended: nothing is written any more.
    pub fn has_ended(&self) -> bool {
        self.ended.has_changed().is_err()
    }

    /// Ends the thread, once a push that has begun is over.
    pub async fn end(&self) {
        self.abort.request();
        let messages = self.messages.clone();
        // It waits for room among the requests that wait.
        let _ = tokio::task::spawn_blocking(move || messages.send(Message::Stop)).await;
        let mut ended = self.ended.clone();
        let _ = ended.changed().await;
    }
}

/// The refusal of a request that nobody hears any more.
fn unheard(claim: &Claim, unless_pushing: impl FnOnce() -> Refusal) -> Refusal {
    match claim.give_up() {
        Some(commit) => Refusal::Unknown { commit },
        None => unless_pushing(),
    }
}
