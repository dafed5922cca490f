//! A request that was done when it was sent before, without its client knowing.

use policies::{editing, language::PolicyName};

use super::{
    branch::Branch,
    order::Order,
    outcome::{Done, Refusal},
    pending::Pending,
    standing::{Standing, print_of},
    ticket::Answer,
    worker::Worker,
};
use crate::{
    api::writes::WriteResult,
    clock::now,
    source::{
        SourceError,
        ancestry::CommitId,
        writing::{BranchName, Settled},
    },
};

impl Worker {
    /// The outcome of the same request, sent before, that nobody heard. A refusal if one of its policies was changed
    /// since; `None` if the branch does not have its commit, if its new branch is gone, or if one of them has ended
    /// since: then the request asks for what it would do now.
    pub(super) fn done_before(&mut self, head: &Branch, order: &Order) -> Option<Answer> {
        let done = self.memory.unheard(order.fingerprint)?;
        self.still_so(head, done).transpose()
    }

    fn still_so(&mut self, head: &Branch, done: Done) -> Result<Option<Done>, Refusal> {
        let Some(commit) = done.commit else { return Ok(None) };
        if let Some((branch, _)) = &done.branch {
            // A new branch may be merged or changed. That is no reason to make another one, but its removal is.
            let is_gone = self.is_gone(branch, commit);
            return Ok((!is_gone).then_some(done));
        }
        let unavailable = |error: SourceError| Refusal::Unavailable(error.to_string());
        if !self.writer.has(head.commit, commit).map_err(unavailable)? {
            return Ok(None);
        }
        let written = done.policies.iter().filter(|policy| policy.result != WriteResult::Unchanged);
        let written: Vec<_> = written
            .filter_map(|policy| Some((PolicyName::try_from(policy.name.clone()).ok()?, policy)))
            .collect();
        let names: Vec<_> = written.iter().map(|(name, _)| name.clone()).collect();
        let standing = Standing::of(&self.writer, head, &names)?;
        for (name, policy) in written {
            let as_written = match policy.result {
                WriteResult::Deleted => String::new(),
                _ => {
                    let content = self.writer.file(commit, &policy.file).map_err(unavailable)?;
                    let content = content.unwrap_or_default();
                    let document = editing::find(&content, &name);
                    print_of(document.as_ref(), &content)
                }
            };
            if standing.print(&name) != as_written {
                let by = super::history::last_change(&self.writer, head.commit, &name);
                let by = by.map(|commit| format!(" by {commit}")).unwrap_or_default();
                return Err(Refusal::Conflict(format!(
                    "this request was done before, as commit {commit}, and the policy `{name}` was changed \
                     since{by}; look at it, and send the request again to change it anew"
                )));
            }
        }
        let now = now();
        let has_ended = |name| {
            let entry = head.policy(name).map(|located| &located.entry);
            entry.is_some_and(|entry| !entry.policy.suspend && entry.last_end().is_some_and(|end| end <= now))
        };
        Ok((!names.iter().any(has_ended)).then_some(done))
    }

    /// True if the repository says that it has no such branch.
    fn is_gone(&mut self, branch: &str, commit: CommitId) -> bool {
        let name = BranchName::new(branch, &self.settings.writer.branch);
        name.is_ok_and(|name| self.writer.settle_new_branch(&name, commit) == Settled::NotYet)
    }

    /// Answers a request with what holds for the same one before it, too.
    pub(super) fn tell(&self, mut pending: Pending, answer: Answer) {
        let (fingerprint, is_dry) = (pending.order.fingerprint, pending.order.options.dry_run);
        if pending.ticket.answer(answer).is_none() && !is_dry {
            self.memory.heard(fingerprint);
        }
    }
}
