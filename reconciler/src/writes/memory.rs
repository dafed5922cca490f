//! Requests whose clients may not know what became of them. The thread that writes and those who wait share it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use policies::Digest;

use super::outcome::Done;
use crate::source::ancestry::CommitId;

/// The number of outcomes that are remembered for clients that did not hear them, and for how long.
const MAX_REMEMBERED: usize = 256;
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// The commits that may be in Git, and the outcomes that nobody heard, by the fingerprints of their requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// Being pushed, or pushed with an end that is not known.
    underway: HashMap<Digest, CommitId>,
    unheard: VecDeque<(Digest, Done, Instant)>,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Known> {
        // Nothing is half done in it at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A push begins.
    pub(super) fn begin(&self, fingerprint: Digest, commit: CommitId) {
        self.lock().underway.insert(fingerprint, commit);
    }

    /// The end of a push is known.
    pub(super) fn end(&self, fingerprint: Digest, commit: CommitId) {
        let mut known = self.lock();
        if known.underway.get(&fingerprint) == Some(&commit) {
            known.underway.remove(&fingerprint);
        }
    }

    /// The commit of a request that is being pushed, or whose push has an unknown end.
    pub(super) fn underway(&self, fingerprint: Digest) -> Option<CommitId> {
        self.lock().underway.get(&fingerprint).copied()
    }

    /// The commit of the same request that is in Git, or may be, without its client knowing.
    pub(super) fn commit_of(&self, fingerprint: Digest) -> Option<CommitId> {
        self.underway(fingerprint).or_else(|| self.unheard(fingerprint)?.commit)
    }

    /// Remembers an outcome that nobody heard: the same request again is told it.
    pub(super) fn remember(&self, fingerprint: Digest, done: Done) {
        let unheard = &mut self.lock().unheard;
        unheard.retain(|(known, _, _)| *known != fingerprint);
        if unheard.len() >= MAX_REMEMBERED {
            unheard.pop_front();
        }
        unheard.push_back((fingerprint, done, Instant::now()));
    }

    /// The outcome of the same request, sent before, if nobody heard it.
    pub(super) fn unheard(&self, fingerprint: Digest) -> Option<Done> {
        let known = self.lock();
        let found =
            known.unheard.iter().find(|(known, _, at)| *known == fingerprint && at.elapsed() < REMEMBERED);
        found.map(|(_, done, _)| done.clone())
    }

    /// The client has heard the outcome of a request: the same one again is another.
    pub(super) fn heard(&self, fingerprint: Digest) {
        self.lock().unheard.retain(|(known, _, _)| *known != fingerprint);
    }
}
