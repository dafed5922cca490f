//! Requests that share a push.

use std::time::Instant;

use tracing::{info, warn};

use super::{
    branch::Branch,
    chain::Chain,
    message,
    outcome::Refusal,
    pending::{Next, Pending, Record},
    unsettled::Parked,
    worker::{Worker, jittered},
};
use crate::source::{
    ancestry::CommitId,
    writing::{PushOutcome, ReadCommitError},
};

impl Worker {
    /// Does all these requests, each as a whole or not at all, and answers them.
    pub(super) fn batch(&mut self, pending: Vec<Pending>) {
        self.attempts(pending);
        // What was made and came to nothing is not to take room until the next request.
        self.writer.forget_made();
    }

    fn attempts(&mut self, mut pending: Vec<Pending>) {
        for attempt in 0.. {
            pending = still_wanted(pending);
            if pending.is_empty() {
                return;
            }
            let assumed = if attempt == 0 { self.assumed() } else { None };
            let branch = match assumed.map_or_else(|| self.read(), Ok) {
                Ok(branch) => branch,
                Err(error) => return refuse_all(pending, &self.unreadable(error.to_string())),
            };
            let next = match &self.settings.write_branch {
                Some(_) => self.propose(&branch, pending),
                None => self.attempt(&branch, pending),
            };
            match next {
                Next::Nothing => return,
                Next::Again(rest) => pending = rest,
                Next::Alone(rest) => {
                    for mut pending in rest {
                        // What one before it has written is no change of somebody else.
                        pending.first_seen.retain(|name, _| !self.written.contains(name));
                        self.batch(vec![pending]);
                    }
                    return;
                }
            }
            if !branch.is_assumed {
                pause(attempt);
            }
        }
    }

    fn attempt(&mut self, head: &Branch, pending: Vec<Pending>) -> Next {
        let chain = self.chain(head, pending);
        let servable = match chain.links.is_empty() {
            true => Ok(()),
            false => self.is_servable(chain.tip),
        };
        // Only a push tells if this is still the branch.
        if head.is_assumed && (chain.links.is_empty() || servable.is_err()) {
            return Next::Again(chain.into_pending());
        }
        if chain.links.is_empty() {
            chain.answer(self);
            return Next::Nothing;
        }
        if let Err(refusal) = servable {
            return match refusal {
                // As all the others would be.
                Refusal::Unavailable(_) => {
                    refuse_all(chain.into_pending(), &refusal);
                    Next::Nothing
                }
                refusal => chain.refuse(&refusal),
            };
        }
        if !chain.links.iter().all(|link| link.pending.ticket.begin_push(link.commit)) {
            // Somebody has given up, and its commit must not get in.
            return Next::Again(chain.into_pending());
        }
        let begun = Instant::now();
        let outcome = self.writer.push(chain.from, chain.tip);
        self.syncs.counters.writes.push_duration.observe(begun.elapsed().as_secs_f64());
        match outcome {
            PushOutcome::Pushed { .. } => {
                self.syncs.request_at_once();
                chain.answer(self);
                Next::Nothing
            }
            PushOutcome::LostRace { .. } => {
                chain.hinder("others pushed first");
                self.again(chain)
            }
            PushOutcome::NotUpdated { words } => {
                let cause = Refusal::not_updated(&words).reason();
                let requests = chain.hinder(&cause);
                if !requests.is_empty() {
                    warn!(requests = requests.join(","), cause, "a push wrote nothing; it is tried again");
                }
                self.again(chain)
            }
            PushOutcome::Refused { words } => chain.refuse(&Refusal::of_repository(&words)),
            PushOutcome::Unreachable { reason } => {
                refuse_all(chain.into_pending(), &Refusal::Unavailable(reason));
                Next::Nothing
            }
            PushOutcome::Unverified { .. } if head.is_assumed => Next::Again(chain.into_pending()),
            PushOutcome::Unverified { commit, reason } => {
                refuse_all(chain.into_pending(), &Refusal::unverified(commit, &reason));
                Next::Nothing
            }
            PushOutcome::Unknown { commit, reason } => {
                warn!(%commit, reason, "the end of a push is not known");
                let Chain { from, tip, links, others } = chain;
                let others = others.into_iter().map(|(pending, _)| pending).collect();
                self.unsettled.park(Parked::new(from, tip, None, links));
                // The same request may be among them once more.
                Next::Again(self.still_unknown(others))
            }
        }
    }

    /// The requests of a push that wrote nothing, for a cause that may pass.
    fn again(&mut self, chain: Chain) -> Next {
        self.syncs.counters.writes.retries.inc();
        self.is_alone = false;
        Next::Again(chain.into_pending())
    }

    /// Reads a commit that is to be pushed as it would be read for serving, with all limits.
    pub(super) fn is_servable(&mut self, commit: CommitId) -> Result<(), Refusal> {
        let read = self.writer.read_commit(commit, |_| true).map(drop);
        read.map_err(|error| match (self.writer.verified(commit), error) {
            (Err(reason), _) => Refusal::unverified(commit, &reason),
            (Ok(()), ReadCommitError::Refused(reason)) => {
                Refusal::Unprocessable(format!("the branch could not be served then: {reason}"))
            }
            (Ok(()), ReadCommitError::Failed(error)) => {
                Refusal::Unavailable(format!("{error}; nothing was written"))
            }
        })
    }

    /// The refusal where the branch cannot be read: for now, or because of a commit that nobody who may sign has signed.
    pub(super) fn unreadable(&self, error: String) -> Refusal {
        let unverified = self.writer.tip().and_then(|tip| Some((tip, self.writer.verified(tip).err()?)));
        match unverified {
            Some((tip, reason)) => Refusal::unverified(tip, &reason),
            None => Refusal::Unavailable(format!("{error}; nothing was written")),
        }
    }

    /// Answers a request whose commit is in.
    pub(super) fn answer(&mut self, record: Record) {
        let Record { id: request, fingerprint, rights, names, mut ticket, commit, done } = record;
        let user = rights.user.as_str();
        info!(user, request, %commit, policies = message::names(&names), "pushed a commit");
        match ticket.answer(Ok(done)) {
            Some(Ok(done)) => self.memory.remember(fingerprint, done),
            _ => self.memory.heard(fingerprint),
        }
        self.written.extend(names);
    }
}

/// Lets somebody else push first.
#[expect(clippy::disallowed_methods, reason = "replicas that lost a race must not try again in step")]
pub(super) fn pause(attempt: u32) {
    std::thread::sleep(jittered(attempt));
}

/// The requests that somebody still waits for, in time. The others are answered that nothing was written.
fn still_wanted(pending: Vec<Pending>) -> Vec<Pending> {
    let (in_time, late): (Vec<_>, Vec<_>) = pending
        .into_iter()
        .filter(|pending| !pending.ticket.is_given_up())
        .partition(|pending| pending.order.deadline > Instant::now());
    for mut pending in late {
        let refusal = pending.ticket.late();
        pending.ticket.answer(Err(refusal));
    }
    in_time
}

fn refuse_all(pending: Vec<Pending>, refusal: &Refusal) {
    for mut pending in pending {
        pending.ticket.answer(Err(refusal.clone()));
    }
}
