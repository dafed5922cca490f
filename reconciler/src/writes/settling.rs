//! Asks the repository for the pushes whose end is not known.

use std::time::Instant;

use tracing::{info, warn};

use super::{outcome::Refusal, pending::Pending, unsettled::Parked, worker::Worker};
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
                    parked.links.into_iter().for_each(|link| self.answer(link));
                }
                Some(false) => {
                    info!(commit = %parked.tip, "a push whose end was unknown wrote nothing");
                    again.extend(parked.links.into_iter().map(|link| link.pending));
                }
                None => {
                    let later = parked.later();
                    self.unsettled.pushes.push(later);
                }
            }
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
            None => self.writer.settle(*tip),
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

    /// Answers the requests whose outcome is still unknown, and those that concern the same policies; the others are to
    /// be done.
    pub(super) fn still_unknown(&mut self, pending: Vec<Pending>) -> Vec<Pending> {
        let mut rest = Vec::new();
        for pending in pending {
            let fingerprint = pending.order.fingerprint;
            if let Some(commit) = self.unsettled.commit_of(fingerprint) {
                pending.ticket.answer(Err(Refusal::Unknown { commit }));
            } else if let Some(parked) = self.unsettled.about(&pending.order) {
                pending.ticket.answer(Err(Refusal::Unavailable(format!(
                    "it is not known yet if commit {} is in the branch, which changes the same policy; nothing was \
                     written",
                    parked.tip
                ))));
            } else {
                rest.push(pending);
            }
        }
        rest
    }
}
