//! A request on its way. Its client may give it up until its push begins.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::outcome::{Done, Refusal};
use crate::source::ancestry::CommitId;

/// The result of a request.
pub(super) type Answer = Result<Done, Refusal>;

/// The side of the worker.
#[derive(Debug)]
pub(super) struct Ticket {
    state: Arc<Mutex<State>>,
    answer: oneshot::Sender<Answer>,
}

/// The side of the client. Dropped, it gives the request up.
#[derive(Debug)]
pub(super) struct Claim {
    state: Arc<Mutex<State>>,
    pub(super) answer: oneshot::Receiver<Answer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    /// Its commit may be in Git.
    Pushing(CommitId),
    GivenUp,
}

/// Both sides of a request.
pub(super) fn ticket() -> (Ticket, Claim) {
    let state = Arc::new(Mutex::new(State::Waiting));
    let (sender, receiver) = oneshot::channel();
    (Ticket { state: Arc::clone(&state), answer: sender }, Claim { state, answer: receiver })
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ticket {
    /// True if nobody waits for it, and nothing was pushed.
    pub(super) fn is_given_up(&self) -> bool {
        *lock(&self.state) == State::GivenUp
    }

    /// The push of its commit begins; false if it was given up.
    pub(super) fn begin_push(&self, commit: CommitId) -> bool {
        let mut state = lock(&self.state);
        let goes_on = *state != State::GivenUp;
        if goes_on {
            *state = State::Pushing(commit);
        }
        goes_on
    }

    /// Its push has surely written nothing: it waits again, or was given up meanwhile.
    pub(super) fn end_push(&self) {
        let mut state = lock(&self.state);
        *state = if self.answer.is_closed() { State::GivenUp } else { State::Waiting };
    }

    /// True if somebody waits for the answer.
    pub(super) fn is_heard(&self) -> bool {
        !self.answer.is_closed()
    }

    /// Answers. Returns the answer if nobody heard it.
    pub(super) fn answer(self, answer: Answer) -> Option<Answer> {
        self.answer.send(answer).err()
    }
}

impl Claim {
    /// Gives the request up. Returns the commit that is being pushed, if one is.
    pub(super) fn give_up(&self) -> Option<CommitId> {
        let mut state = lock(&self.state);
        match *state {
            State::Pushing(commit) => Some(commit),
            State::Waiting | State::GivenUp => {
                *state = State::GivenUp;
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
    use super::{Done, ticket};
    use crate::source::ancestry::CommitId;

    const COMMIT: CommitId = CommitId([1; 20]);

    #[test]
    fn a_client_that_leaves_gives_up_what_is_not_pushed_yet() {
        let (ticket, claim) = ticket();
        drop(claim);
        assert!(ticket.is_given_up() && !ticket.begin_push(COMMIT));
    }

    #[test]
    fn a_push_that_has_begun_goes_on() {
        let (one, claim) = ticket();
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
}
