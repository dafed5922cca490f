//! Changes that go to new branches, where the served branch takes no commits.

use std::time::Instant;

use super::{
    branch::Branch,
    order::{Order, random_id},
    outcome::{Done, Refusal},
    pending::{Next, Pending},
    ticket::Answer,
    worker::Worker,
};
use crate::source::{
    ancestry::CommitId,
    writing::{BranchName, PushOutcome},
};

impl Worker {
    /// Pushes each request to a new branch.
    pub(super) fn propose(&mut self, branch: &Branch, pending: Vec<Pending>) -> Next {
        let mut again = Vec::new();
        for mut pending in pending {
            let answer = match self.proposal(branch, &mut pending) {
                Ok((None, done)) => Ok(done),
                Err(refusal) => Err(refusal),
                Ok((Some((commit, name)), done)) => {
                    if !pending.ticket.begin_push(commit) {
                        continue;
                    }
                    match self.push_proposal(commit, &name, done) {
                        Some(answer) => answer,
                        None => {
                            pending.ticket.end_push();
                            again.push(pending);
                            continue;
                        }
                    }
                }
            };
            // A client that has left can see the branch.
            pending.ticket.answer(answer);
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
        self.writer.read_commit(commit, |_| true).map(drop).map_err(|error| {
            Refusal::Unprocessable(format!("the branch could not be served then: {error}"))
        })?;
        Ok((Some((commit, self.branch_name(&pending.order)?)), done))
    }

    /// Pushes a commit to a new branch. `None`: there is a branch of that name already.
    fn push_proposal(&mut self, commit: CommitId, name: &BranchName, done: Done) -> Option<Answer> {
        let begun = Instant::now();
        let outcome = self.writer.push_new_branch(name, commit);
        self.syncs.counters.writes.push_duration.observe(begun.elapsed().as_secs_f64());
        Some(match outcome {
            PushOutcome::Pushed { link } => {
                Ok(Done { at: None, branch: Some((name.as_str().to_owned(), link)), ..done })
            }
            PushOutcome::LostRace { .. } => return None,
            PushOutcome::Refused { words } => Err(Refusal::of_repository(&words)),
            PushOutcome::Unreachable { reason } => Err(Refusal::Unavailable(reason)),
            PushOutcome::Unknown { commit, .. } => Err(Refusal::Unknown { commit }),
        })
    }

    fn branch_name(&self, order: &Order) -> Result<BranchName, Refusal> {
        let Some(pattern) = &self.settings.write_branch else {
            return Err(Refusal::Unavailable("there is no pattern of branches".to_owned()));
        };
        let name = order.names().first().map(ToString::to_string).unwrap_or_default();
        let name = pattern.name(order.rights.user.as_str(), &name, &random_id());
        let name = BranchName::new(&name, &self.settings.writer.branch);
        name.map_err(|reason| Refusal::Unprocessable(format!("the name of the new branch {reason}")))
    }
}
