//! Asks the repository for the pushes whose end is not known.

use std::time::Instant;

use tracing::{info, warn};

use super::{
    order::Order,
    outcome::Refusal,
    pending::{Pending, Record},
    unsettled::Parked,
    worker::Worker,
};
use crate::source::writing::{PushOutcome, Settled};

impl Worker {
    /// Asks for the pushes whose time has come, and for those of which a request asks. Returns the requests that were
    /// surely not written and are still wanted.
    pub(super) fn settle(&mut self, pending: &[Pending]) -> Vec<Pending> {
        let mut again = Vec::new();
        for parked in std::mem::take(&mut self.unsettled.pushes) {
            let is_asked_for = pending.iter().any(|pending| parked.concerns(&pending.order));
            if parked.next > Instant::now() && !is_asked_for {
                self.unsettled.pushes.push(parked);
                continue;
            }
            match self.end_of(&parked, pending) {
                Some(true) => {
                    info!(commit = %parked.tip, "a push whose end was unknown is in");
                    if parked.new_branch.is_none() {
                        self.syncs.request_at_once();
                    }
                    let waiting = parked.waiting.into_iter().map(Record::from);
                    waiting.chain(parked.left).for_each(|record| self.answer(record));
                }
                Some(false) => {
                    info!(commit = %parked.tip, "a push whose end was unknown wrote nothing");
                    again.extend(parked.waiting.into_iter().map(|link| link.pending));
                }
                None => {
                    let later = parked.later();
                    self.unsettled.pushes.push(later);
                }
            }
        }
        for parked in self.unsettled.take_lost(Instant::now()) {
            let requests: Vec<_> = parked.left.iter().map(|record| record.id.as_str()).collect();
            let requests = requests.join(",");
            warn!(commit = %parked.tip, requests, "a push without an answer has not arrived: it is taken for lost");
            self.writer.give_up(parked.tip);
            self.syncs.counters.writes.lost.inc();
            again.extend(parked.waiting.into_iter().map(|link| link.pending));
        }
        for pending in &again {
            pending.ticket.end_push();
        }
        again
    }

    /// True if the commits of a push are in, false if they never will be. What nobody waits for any more is not pushed
    /// again: its sender may have done something else since.
    fn end_of(&mut self, parked: &Parked, pending: &[Pending]) -> Option<bool> {
        let Parked { from, tip, new_branch, .. } = parked;
        let settled = match new_branch {
            Some(name) => self.writer.settle_new_branch(name, *tip),
            None => self.writer.settle(*from, *tip),
        };
        match settled {
            Settled::In => Some(true),
            Settled::NotIn { .. } => Some(false),
            Settled::NotYet if !parked.is_wanted(pending) => None,
            Settled::NotYet => {
                let outcome = match new_branch {
                    Some(name) => self.writer.push_new_branch(name, *from, *tip),
                    None => self.writer.push(*from, *tip),
                };
                // A push that wrote nothing says nothing of the one before it, which may still be on its way.
                matches!(outcome, PushOutcome::Pushed { .. }).then_some(true)
            }
            Settled::Unknown { reason } => {
                warn!(commit = %tip, reason, "the end of a push is not known yet");
                None
            }
        }
    }

    /// Answers the requests whose outcome is still unknown; the others are to be done.
    pub(super) fn still_unknown(&mut self, pending: Vec<Pending>) -> Vec<Pending> {
        let mut rest = Vec::new();
        for mut pending in pending {
            match self.memory.underway(pending.order.fingerprint) {
                Some(commit) => drop(pending.ticket.answer(Err(Refusal::Unknown { commit }))),
                None => rest.push(pending),
            }
        }
        rest
    }

    /// The refusal of a request that would be answered by the branch as it is, while a push that changes the same policy
    /// may still arrive. A commit may be made: only one of both can get in.
    pub(super) fn not_known_yet(&self, order: &Order) -> Option<Refusal> {
        let parked = self.unsettled.about(order).filter(|_| !order.options.dry_run)?;
        Some(Refusal::Unavailable(format!(
            "it is not known yet if commit {} is in the branch, which changes the same policy; nothing was written",
            parked.tip
        )))
    }
}
