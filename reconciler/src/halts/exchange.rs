//! The halts of the other replicas: each tells the others what it knows, and takes over what they know.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::{Duration, Instant, sleep};

use super::{book::Book, callers::Callers, ledger::Ledger, telling};
use crate::{
    api::{halts::HaltedReplica, peer_halts::PeerHalts},
    peers::{Peers, replies::Reply},
    serving::{published::Publication, publisher::Publisher},
    shutdown::Shutdown,
};

/// The time for one exchange.
pub const TIME: Duration = Duration::from_millis(1_800);
/// The pause between two exchanges.
const PAUSE: Duration = Duration::from_secs(5);
/// The same under a halt, since somebody looks whether all hold.
const SHORT_PAUSE: Duration = Duration::from_secs(1);
/// The shortest pause, whatever news each exchange brings.
const LEAST_PAUSE: Duration = Duration::from_millis(200);

/// The exchange with the other replicas.
#[derive(Debug)]
pub struct Exchange {
    book: Arc<Book>,
    peers: Arc<Peers>,
    publisher: Arc<Publisher>,
    /// The one that began last, of those that have ended.
    last: Mutex<Option<Last>>,
    callers: Mutex<Callers>,
}

/// An exchange that has ended.
#[derive(Debug)]
struct Last {
    begun: Instant,
    told: Ledger,
    replicas: Vec<HaltedReplica>,
}

impl Exchange {
    pub fn new(book: Arc<Book>, peers: Arc<Peers>, publisher: Arc<Publisher>) -> Self {
        Self { book, peers, publisher, last: Mutex::default(), callers: Mutex::default() }
    }

    /// What this replica tells the others.
    pub fn told(&self) -> PeerHalts {
        telling::tell(&self.book.ledger(), self.is_halted())
    }

    /// Takes over what a replica tells that has this mark, if it says so. The error says what is wrong with it.
    pub fn hear_from(&self, mark: Option<&str>, told: PeerHalts) -> Result<(), String> {
        let (halted, (told, read)) = (told.halted, telling::read(told));
        if let Some(mark) = mark {
            self.callers().note(mark, halted, &told, &self.book.ledger(), Instant::now());
        }
        self.take_over(&told);
        read
    }

    fn take_over(&self, told: &Ledger) {
        self.book.hear(told);
        // The commits that ended halts may be served here already.
        if self.book.awaits()
            && let Publication::Serving(published) = self.publisher.publication()
        {
            self.book.read(&published);
        }
    }

    /// The other replicas, as the last exchange has found them, and true if that has told them all halts that began
    /// here. With those that may inject and cannot be told.
    pub fn replicas(&self) -> (Vec<HaltedReplica>, bool) {
        let known = self.book.ledger();
        let (mut replicas, are_told) = match &*self.lock() {
            Some(Last { told, replicas, .. }) => {
                (replicas.clone(), known.own().all(|halt| told.has(&halt.id)))
            }
            None => (Vec::new(), false),
        };
        let is_asked = |mark: &str| self.peers.is_asked(mark);
        let unlisted = self.callers().injecting(&known, is_asked, Instant::now());
        // One that has never answered may be the one that asks.
        let missing = replicas.iter().filter(|replica| replica.error.is_some()).count();
        replicas.extend(unlisted.into_iter().skip(missing));
        (replicas, are_told)
    }

    /// Tells all others at once, and takes over what they answer. It ends in time, whoever does not answer.
    pub async fn once(&self) {
        self.until(Instant::now() + TIME).await;
    }

    /// The same until a time, if that is enough to hear from anybody.
    pub async fn until(&self, end: Instant) {
        let begun = Instant::now();
        if end < begun + LEAST_PAUSE {
            return;
        }
        let told = self.book.ledger();
        let message = telling::tell(&told, self.is_halted());
        let replies = self.peers.tell::<PeerHalts>("halts", message, end).await;
        let replicas = replies.0.into_iter().map(|Reply { name, answer }| {
            let heard = answer.and_then(|told| {
                let (halted, (told, read)) = (told.halted, telling::read(told));
                self.take_over(&told);
                read.map(|()| halted)
            });
            match heard {
                Ok(halted) => HaltedReplica { error: None, halted, name },
                Err(reason) => HaltedReplica { error: Some(reason), halted: false, name },
            }
        });
        let replicas: Vec<_> = replicas.collect();
        let has_unasked = self.callers().has_other(|mark| self.peers.is_asked(mark), Instant::now());
        let have_all_answered = !has_unasked && replicas.iter().all(|replica| replica.error.is_none());
        self.book.has_asked(begun.into_std(), have_all_answered);
        let mut last = self.lock();
        if last.as_ref().is_none_or(|last| last.begun < begun) {
            *last = Some(Last { begun, told, replicas });
        }
    }

    /// Goes on until shutdown: after each change, and every few seconds.
    pub async fn follow(&self, shutdown: Shutdown) {
        let mut changed = self.book.watch();
        loop {
            let is_told = || {
                let known = self.book.ledger();
                self.lock().as_ref().is_some_and(|last| last.told == known)
            };
            let news = async {
                sleep(LEAST_PAUSE).await;
                while is_told() && changed.changed().await.is_ok() {}
            };
            tokio::select! {
                () = sleep(self.pause()) => {}
                () = news => {}
                () = shutdown.requested() => return,
            }
            self.once().await;
        }
    }

    fn pause(&self) -> Duration {
        if self.is_halted() { SHORT_PAUSE } else { PAUSE }
    }

    fn is_halted(&self) -> bool {
        matches!(self.publisher.publication(), Publication::Serving(published) if published.is_halted())
    }

    fn callers(&self) -> MutexGuard<'_, Callers> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Last>> {
        // It is replaced in one step.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
