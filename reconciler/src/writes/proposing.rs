//! Changes that go to new branches, where the served branch takes no commits.

use std::time::Instant;

use tracing::warn;

use super::{
    branch::Branch,
    order::Order,
    outcome::{Done, Refusal},
    pending::{Link, Next, Pending},
    unsettled::Parked,
    worker::Worker,
};
use crate::{
    random_id::random_id,
    source::{
        ancestry::CommitId,
        writing::{BranchName, PushOutcome},
    },
};

impl Worker {
    /// Pushes each request to a new branch.
    pub(super) fn propose(&mut self, branch: &Branch, pending: Vec<Pending>) -> Next {
        let mut again = Vec::new();
        for mut pending in pending {
            if let Some(answer) = self.done_before(branch, &pending.order) {
                self.tell(pending, answer);
                continue;
            }
            match self.proposal(branch, &mut pending) {
                Ok((None, done)) => drop(pending.ticket.answer(Ok(done))),
                Err(refusal) => drop(pending.ticket.answer(Err(refusal))),
                Ok((Some((commit, name)), done)) => {
                    if pending.ticket.begin_push(commit) {
                        let link = Link { pending, commit, done };
                        again.extend(self.push_proposal(branch.commit, name, link));
                    }
                }
            }
        }
        if again.is_empty() { Next::Nothing } else { Next::Again(again) }
    }

    /// The commit of a request and the name of its branch, unless nothing is to be written.
    fn proposal(
        &mut self,
        branch: &Branch,
        pending: &mut Pending,
    ) -> Result<(Option<(CommitId, BranchName)>, Done), Refusal> {
        let plan = self.plan(branch, branch, pending)?;
        let (made, done) = self.commit(branch, plan, &pending.order)?;
        let Some((commit, _)) = made else { return Ok((None, done)) };
        self.is_servable(commit)?;
        let (user, name) = (pending.order.rights.user.as_str(), first_name(&pending.order));
        Ok((Some((commit, self.branch_name(user, &name)?)), done))
    }

    /// Pushes a commit to a new branch. Returns the request if it is to be tried again: there is a branch of that name
    /// already.
    fn push_proposal(&mut self, base: CommitId, name: BranchName, mut link: Link) -> Option<Pending> {
        let begun = Instant::now();
        let outcome = self.writer.push_new_branch(&name, base, link.commit);
        self.syncs.counters.writes.push_duration.observe(begun.elapsed().as_secs_f64());
        link.done = Done { at: None, branch: Some((name.as_str().to_owned(), None)), ..link.done };
        let refusal = match outcome {
            PushOutcome::Pushed { link: page } => {
                link.done.branch = Some((name.as_str().to_owned(), page));
                self.answer(link.into());
                return None;
            }
            PushOutcome::LostRace { .. } => {
                link.pending.ticket.end_push();
                return Some(link.pending);
            }
            PushOutcome::Unknown { commit, reason } => {
                warn!(%commit, branch = name.as_str(), reason, "the end of a push is not known");
                self.unsettled.park(Parked::new(base, commit, Some(name), vec![link]));
                return None;
            }
            PushOutcome::Refused { words } => Refusal::of_repository(&words),
            PushOutcome::NotUpdated { words } => Refusal::not_updated(&words),
            PushOutcome::Unreachable { reason } => Refusal::Unavailable(reason),
            PushOutcome::Unverified { commit, reason } => Refusal::unverified(commit, &reason),
        };
        link.pending.ticket.answer(Err(refusal));
        None
    }

    /// The name of a new branch for a change of a user.
    pub(super) fn branch_name(&self, user: &str, name: &str) -> Result<BranchName, Refusal> {
        let Some(pattern) = &self.settings.write_branch else {
            return Err(Refusal::Unavailable("there is no pattern of branches".to_owned()));
        };
        let name = pattern.name(user, name, &random_id());
        let name = BranchName::new(&name, &self.settings.writer.branch);
        name.map_err(|reason| Refusal::Unprocessable(format!("the name of the new branch {reason}")))
    }
}

fn first_name(order: &Order) -> String {
    order.names().first().map(ToString::to_string).unwrap_or_default()
}
