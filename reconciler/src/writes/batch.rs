//! Requests that share a push.

use std::time::Instant;

use tracing::{info, warn};

use super::{
    branch::Branch,
    chain::Chain,
    message,
    outcome::Refusal,
    pending::{Link, Next, Pending},
    unsettled::Parked,
    worker::{Worker, jittered},
};
use crate::source::writing::PushOutcome;

impl Worker {
    /// Does all these requests, each as a whole or not at all, and answers them.
    pub(super) fn batch(&mut self, mut pending: Vec<Pending>) {
        for attempt in 0.. {
            pending = still_wanted(pending);
            if pending.is_empty() {
                return;
            }
            let branch = match self.read() {
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
                    // Each begins anew: what the one before it has written is no change of somebody else.
                    let alone = rest.into_iter().map(|pending| Pending { first_seen: None, ..pending });
                    return alone.for_each(|pending| self.batch(vec![pending]));
                }
            }
            pause(attempt);
        }
    }

    fn attempt(&mut self, head: &Branch, pending: Vec<Pending>) -> Next {
        let chain = self.chain(head, pending);
        if chain.links.is_empty() {
            chain.answer(self);
            return Next::Nothing;
        }
        // As for serving, with all its limits.
        if let Err(error) = self.writer.read_commit(chain.tip, |_| true).map(drop) {
            return chain
                .refuse(&Refusal::Unprocessable(format!("the branch cannot be served then: {error}")));
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
                self.syncs.counters.writes.retries.inc();
                Next::Again(chain.into_pending())
            }
            PushOutcome::Refused { words } => chain.refuse(&Refusal::of_repository(&words)),
            PushOutcome::Unreachable { reason } => {
                refuse_all(chain.into_pending(), &Refusal::Unavailable(reason));
                Next::Nothing
            }
            PushOutcome::Unverified { commit, reason } => {
                refuse_all(chain.into_pending(), &Refusal::unverified(commit, &reason));
                Next::Nothing
            }
            PushOutcome::Unknown { commit, reason } => {
                warn!(%commit, reason, "the end of a push is not known");
                let Chain { from, tip, links, others } = chain;
                let others = others.into_iter().map(|(pending, _)| pending).collect();
                self.unsettled.park(Parked::new(from, tip, None, links));
                Next::Again(others)
            }
        }
    }

    /// The refusal where the branch cannot be read: for now, or because of a commit that nobody who may sign has signed.
    fn unreadable(&self, error: String) -> Refusal {
        let unverified = self.writer.tip().and_then(|tip| Some((tip, self.writer.verified(tip).err()?)));
        match unverified {
            Some((tip, reason)) => Refusal::unverified(tip, &reason),
            None => Refusal::Unavailable(error),
        }
    }

    /// Answers a request whose commit is in.
    pub(super) fn answer(&mut self, Link { pending: Pending { order, ticket, .. }, commit, done }: Link) {
        let (user, request) = (order.rights.user.as_str(), &order.id);
        info!(user, request, %commit, policies = message::names(&order.names()), "pushed a commit");
        if let Some(Ok(done)) = ticket.answer(Ok(done)) {
            self.unsettled.remember(order.fingerprint, done);
        }
    }
}

/// Lets somebody else push first.
#[expect(clippy::disallowed_methods, reason = "replicas that lost a race must not try again in step")]
fn pause(attempt: u32) {
    std::thread::sleep(jittered(attempt));
}

/// The requests that somebody still waits for, in time. The others are answered that nothing was written.
fn still_wanted(pending: Vec<Pending>) -> Vec<Pending> {
    let (in_time, late): (Vec<_>, Vec<_>) = pending
        .into_iter()
        .filter(|pending| !pending.ticket.is_given_up())
        .partition(|pending| pending.order.deadline > Instant::now());
    refuse_all(
        late,
        &Refusal::Unavailable("others pushed first, again and again; nothing was written".to_owned()),
    );
    in_time
}

fn refuse_all(pending: Vec<Pending>, refusal: &Refusal) {
    for pending in pending {
        pending.ticket.answer(Err(refusal.clone()));
    }
}
