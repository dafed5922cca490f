//! The commits of several requests, one on top of the other.

use super::{
    branch::Branch,
    edit::Plan,
    message,
    order::Order,
    outcome::{Done, Refusal},
    pending::{Link, Next, Pending},
    ticket::Answer,
    worker::Worker,
};
use crate::source::{ancestry::CommitId, writing::NewCommit};

/// The requests on a state of the branch.
#[derive(Debug)]
pub(super) struct Chain {
    /// The commit that it stands on.
    pub(super) from: CommitId,
    /// The last commit.
    pub(super) tip: CommitId,
    pub(super) links: Vec<Link>,
    /// Requests without a commit. Their answers hold if the commits get in.
    pub(super) others: Vec<(Pending, Answer)>,
}

impl Worker {
    /// Commits the requests one after the other.
    pub(super) fn chain(&mut self, head: &Branch, pending: Vec<Pending>) -> Chain {
        let mut chain = Chain { from: head.commit, tip: head.commit, links: Vec::new(), others: Vec::new() };
        let mut branch = head.clone();
        for mut pending in pending {
            // First: what somebody else has changed since must not be changed back.
            if let Some(answer) = self.done_before(head, &pending.order) {
                chain.others.push((pending, answer));
                continue;
            }
            let plan = self.plan(head, &branch, &mut pending);
            let mut made = plan.and_then(|plan| self.commit(&branch, plan, &pending.order));
            if matches!(made, Ok((None, _)) | Err(Refusal::NotFound(_) | Refusal::Precondition { .. })) {
                made = self.not_known_yet(&pending.order).map_or(made, Err);
            }
            chain.add(pending, made, &mut branch);
        }
        chain
    }

    /// Makes the commit of a plan, unless it changes nothing or is not meant.
    pub(super) fn commit(
        &mut self,
        branch: &Branch,
        plan: Plan,
        order: &Order,
    ) -> Result<(Option<(CommitId, Branch)>, Done), Refusal> {
        if order.options.dry_run {
            return Ok((None, plan.done));
        }
        if plan.is_nothing() {
            return Ok((None, Done { at: Some(branch.commit), ..plan.done }));
        }
        let message = message::of(order, &plan.changed());
        let Plan { changes, mut after, done } = plan;
        let author = self.author(order.rights.user.as_str())?;
        let new = NewCommit { changes: changes.into_iter().collect(), author, message };
        let commit = self.writer.commit(branch.commit, &new)?;
        after.commit = commit;
        Ok((Some((commit, after)), Done { commit: Some(commit), at: Some(commit), ..done }))
    }
}

impl Chain {
    /// Adds a request, whose commit is the new end of the branch if it has one.
    fn add(
        &mut self,
        pending: Pending,
        made: Result<(Option<(CommitId, Branch)>, Done), Refusal>,
        branch: &mut Branch,
    ) {
        match made {
            Ok((Some((commit, after)), done)) => {
                *branch = after;
                self.tip = commit;
                self.links.push(Link { pending, commit, done });
            }
            Ok((None, done)) => self.others.push((pending, Ok(done))),
            Err(refusal) => self.others.push((pending, Err(refusal))),
        }
    }

    /// Answers that all commits are in.
    pub(super) fn answer(self, worker: &mut Worker) {
        let Self { links, others, .. } = self;
        links.into_iter().for_each(|link| worker.answer(link.into()));
        others.into_iter().for_each(|(pending, answer)| worker.tell(pending, answer));
    }

    /// Notes the cause for which its push wrote nothing. Returns the ids of the requests to which it is new.
    pub(super) fn hinder(&self, cause: &str) -> Vec<&str> {
        let hindered = self.links.iter().filter(|link| link.pending.ticket.hinder(cause));
        hindered.map(|link| link.pending.order.id.as_str()).collect()
    }

    /// Refuses the request if it is alone; of several, it is not known which is refused.
    pub(super) fn refuse(self, refusal: &Refusal) -> Next {
        let is_alone = self.links.len() == 1;
        if !is_alone {
            return Next::Alone(self.into_pending());
        }
        let Self { links, others, .. } = self;
        for mut link in links {
            link.pending.ticket.answer(Err(refusal.clone()));
        }
        let others: Vec<_> = others.into_iter().map(|(pending, _)| pending).collect();
        if others.is_empty() { Next::Nothing } else { Next::Again(others) }
    }

    /// The requests, of which nothing was written. In the order in which they came, as far as that matters.
    pub(super) fn into_pending(self) -> Vec<Pending> {
        let Self { links, others, .. } = self;
        for link in &links {
            link.pending.ticket.end_push();
        }
        links
            .into_iter()
            .map(|link| link.pending)
            .chain(others.into_iter().map(|(pending, _)| pending))
            .collect()
    }
}
