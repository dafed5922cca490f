//! The halts of the other replicas: each tells the others what it knows, and takes over what they know.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::{Duration, sleep};

use super::{book::Book, ledger::Ledger, telling};
use crate::{
    api::{halts::HaltedReplica, peer_halts::PeerHalts},
    peers::{Peers, replies::Reply},
    serving::{published::Publication, publisher::Publisher},
    shutdown::Shutdown,
};

/// The pause between two exchanges.
const PAUSE: Duration = Duration::from_secs(5);
/// The same under a halt while a replica is missing.
const SHORT_PAUSE: Duration = Duration::from_secs(1);

/// The exchange with the other replicas.
#[derive(Debug)]
pub struct Exchange {
    book: Arc<Book>,
    peers: Arc<Peers>,
    publisher: Arc<Publisher>,
    last: Mutex<Last>,
}

/// The last exchange.
#[derive(Debug, Default)]
struct Last {
    told: Ledger,
    replicas: Vec<HaltedReplica>,
}

impl Exchange {
    pub fn new(book: Arc<Book>, peers: Arc<Peers>, publisher: Arc<Publisher>) -> Self {
        Self { book, peers, publisher, last: Mutex::default() }
    }

    /// What this replica tells the others.
    pub fn told(&self) -> PeerHalts {
        telling::tell(&self.book.ledger(), self.is_halted())
    }

    /// Takes over what another replica has told. The error says what is wrong with it.
    pub fn hear(&self, told: PeerHalts) -> Result<(), String> {
        self.book.merge(&telling::read(told)?);
        // The commits that ended halts may be served here already.
        if self.book.awaits()
            && let Publication::Serving(published) = self.publisher.publication()
        {
            self.book.read(&published);
        }
        Ok(())
    }

    /// The other replicas, as the last exchange has found them.
    pub fn replicas(&self) -> Vec<HaltedReplica> {
        self.lock().replicas.clone()
    }

    /// Tells all others at once, and takes over what they answer. It ends in time, whoever does not answer.
    pub async fn once(&self) {
        let told = self.book.ledger();
        let replies = self.peers.tell::<PeerHalts>("halts", telling::tell(&told, self.is_halted())).await;
        let replicas = replies.0.into_iter().map(|Reply { name, answer }| {
            let heard = answer.and_then(|told| {
                let halted = told.halted;
                self.hear(told).map(|()| halted)
            });
            match heard {
                Ok(halted) => HaltedReplica { error: None, halted, name },
                Err(reason) => HaltedReplica { error: Some(reason), halted: false, name },
            }
        });
        let replicas = replicas.collect();
        *self.lock() = Last { told, replicas };
    }

    /// Goes on until shutdown: after each change, and every few seconds.
    pub async fn follow(&self, shutdown: Shutdown) {
        let mut changed = self.book.watch();
        loop {
            let is_told = || self.book.ledger() == self.lock().told;
            let news = async { while is_told() && changed.changed().await.is_ok() {} };
            tokio::select! {
                () = sleep(self.pause()) => {}
                () = news => {}
                () = shutdown.requested() => return,
            }
            self.once().await;
        }
    }

    fn pause(&self) -> Duration {
        let is_missing = self.lock().replicas.iter().any(|replica| !replica.halted);
        if self.is_halted() && is_missing { SHORT_PAUSE } else { PAUSE }
    }

    fn is_halted(&self) -> bool {
        matches!(self.publisher.publication(), Publication::Serving(published) if published.is_halted())
    }

    fn lock(&self) -> MutexGuard<'_, Last> {
        // It is replaced in one step.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
