//! A request on its way. Its client may give it up until its push begins.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use policies::Digest;
use tokio::sync::oneshot;

use super::{
    memory::Memory,
    outcome::{Done, Refusal},
};
use crate::source::ancestry::CommitId;

/// The result of a request.
pub(super) type Answer = Result<Done, Refusal>;

/// The side of the worker.
#[derive(Debug)]
pub(super) struct Ticket {
    state: Arc<Mutex<State>>,
    answer: Option<oneshot::Sender<Answer>>,
    fingerprint: Digest,
    memory: Memory,
}

/// The side of the client. Dropped, it gives the request up.
#[derive(Debug)]
pub(super) struct Claim {
    state: Arc<Mutex<State>>,
    pub(super) answer: oneshot::Receiver<Answer>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// False once no client hears the answer.
    is_heard: bool,
    /// The cause for which its last attempt wrote nothing.
    hindrance: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Waiting,
    /// Its commit may be in Git.
    Pushing(CommitId),
    GivenUp,
}

/// Both sides of a request. While its commit may be in Git, the memory has it.
pub(super) fn ticket(fingerprint: Digest, memory: Memory) -> (Ticket, Claim) {
    let state = Arc::new(Mutex::new(State { phase: Phase::Waiting, is_heard: true, hindrance: None }));
    let (sender, receiver) = oneshot::channel();
    let ticket = Ticket { state: Arc::clone(&state), answer: Some(sender), fingerprint, memory };
    (ticket, Claim { state, answer: receiver })
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ticket {
    /// True if nobody waits for it, and nothing was pushed.
    pub(super) fn is_given_up(&self) -> bool {
        lock(&self.state).phase == Phase::GivenUp
    }

    /// The push of its commit begins; false if it was given up.
    pub(super) fn begin_push(&self, commit: CommitId) -> bool {
        let mut state = lock(&self.state);
        let goes_on = state.phase != Phase::GivenUp;
        if goes_on {
            state.phase = Phase::Pushing(commit);
            self.memory.begin(self.fingerprint, commit);
        }
        goes_on
    }

    /// Its push has surely written nothing: it waits again, or was given up meanwhile.
    pub(super) fn end_push(&self) {
        let mut state = lock(&self.state);
        self.forget(&state);
        state.phase = if state.is_heard { Phase::Waiting } else { Phase::GivenUp };
    }

    /// An attempt has written nothing, for this cause, and another one follows. False if the cause is known.
    pub(super) fn hinder(&self, cause: &str) -> bool {
        let hindrance = &mut lock(&self.state).hindrance;
        hindrance.replace(cause.to_owned()).as_deref() != Some(cause)
    }

    /// The refusal of a request that is not done in time.
    pub(super) fn late(&self) -> Refusal {
        lock(&self.state).late()
    }

    /// True if somebody waits for the answer.
    pub(super) fn is_heard(&self) -> bool {
        lock(&self.state).is_heard
    }

    /// Answers. Returns the answer if no client hears it.
    pub(super) fn answer(&mut self, answer: Answer) -> Option<Answer> {
        let state = lock(&self.state);
        let unheard = (!state.is_heard).then(|| answer.clone());
        match self.answer.take()?.send(answer) {
            Ok(()) => unheard,
            Err(answer) => Some(answer),
        }
    }

    fn forget(&self, state: &State) {
        if let Phase::Pushing(commit) = state.phase {
            self.memory.end(self.fingerprint, commit);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.forget(&lock(&self.state));
    }
}

impl State {
    fn late(&self) -> Refusal {
        let cause = self.hindrance.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
        Refusal::Unavailable(format!("it was not done in time{cause}; nothing was written"))
    }
}

impl Claim {
    /// The refusal of a request that is not done in time.
    pub(super) fn late(&self) -> Refusal {
        lock(&self.state).late()
    }

    /// Says that no client hears the answer, and gives the request up unless its push has begun. Returns the commit
    /// that is being pushed, if one is.
    pub(super) fn give_up(&self) -> Option<CommitId> {
        let mut state = lock(&self.state);
        state.is_heard = false;
        match state.phase {
            Phase::Pushing(commit) => Some(commit),
            Phase::Waiting | Phase::GivenUp => {
                state.phase = Phase::GivenUp;
                None
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.give_up();
    }
}

#[cfg(test)]
mod tests {
    use policies::Digest;

    use super::{Claim, Done, Memory, Ticket};
    use crate::source::ancestry::CommitId;

    const COMMIT: CommitId = CommitId([1; 20]);

    fn ticket() -> (Ticket, Claim) {
        super::ticket(Digest::of(b"request"), Memory::default())
    }

    #[test]
    fn a_client_that_leaves_gives_up_what_is_not_pushed_yet() {
        let (ticket, claim) = ticket();
        drop(claim);
        assert!(ticket.is_given_up() && !ticket.begin_push(COMMIT));
    }

    #[test]
    fn a_push_that_has_begun_goes_on() {
        let (mut one, claim) = ticket();
        assert!(one.begin_push(COMMIT));
        assert_eq!(claim.give_up(), Some(COMMIT));
        drop(claim);
        assert!(!one.is_given_up() && one.begin_push(COMMIT));
        assert!(one.answer(Ok(Done::default())).is_some(), "nobody hears it");
    }

    #[test]
    fn after_a_push_that_wrote_nothing_it_can_be_given_up_again() {
        let (one, claim) = ticket();
        assert!(one.begin_push(COMMIT));
        one.end_push();
        assert_eq!(claim.give_up(), None);
        assert!(one.is_given_up());
        let (other, claim) = ticket();
        assert!(other.begin_push(COMMIT));
        drop(claim);
        other.end_push();
        assert!(other.is_given_up(), "its client left meanwhile");
    }

    #[test]
    fn who_only_writes_the_log_hears_the_end_too() {
        let (mut one, mut claim) = ticket();
        assert!(one.begin_push(COMMIT));
        claim.give_up();
        assert!(one.answer(Ok(Done::default())).is_some(), "the client has to be told later");
        assert!(claim.answer.try_recv().is_ok());
    }

    #[test]
    fn who_comes_too_late_hears_what_hindered_the_last_attempt() {
        let (one, claim) = ticket();
        assert_eq!(claim.late().reason(), "it was not done in time; nothing was written");
        assert!(
            one.hinder("others pushed first") && !one.hinder("others pushed first") && one.hinder("a lock")
        );
        assert_eq!(claim.late().reason(), "it was not done in time: a lock; nothing was written");
    }

    #[test]
    fn what_may_be_in_git_is_remembered_until_its_end_is_known() {
        let (memory, request) = (Memory::default(), Digest::of(b"request"));
        let (mut one, claim) = super::ticket(request, memory.clone());
        assert_eq!(memory.commit_of(request), None);
        one.begin_push(COMMIT);
        assert_eq!(memory.commit_of(request), Some(COMMIT));
        one.end_push();
        assert_eq!(memory.commit_of(request), None);
        one.begin_push(COMMIT);
        claim.give_up();
        let done = one.answer(Ok(Done { commit: Some(COMMIT), ..Done::default() }));
        memory.remember(request, done.unwrap().unwrap());
        drop(one);
        assert_eq!((memory.underway(request), memory.commit_of(request)), (None, Some(COMMIT)));
    }
}
