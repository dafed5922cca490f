//! Plans a request: its changes, on the branch with those of the requests before it.

use std::collections::BTreeSet;

use policies::language::PolicyName;

use super::{
    branch::Branch,
    edit::{Draft, Edit, Plan},
    history::last_change,
    order::{Action, Order},
    outcome::Refusal,
    pending::{Pending, Seen},
    standing::Standing,
    worker::Worker,
};
use crate::clock::now;

impl Worker {
    /// The plan of a request, on the branch with the changes of those before it. If in `head`, the branch as it was read,
    /// the policies that it concerns are no longer as they were when it was planned first, somebody else has changed
    /// them.
    pub(super) fn plan(
        &self,
        head: &Branch,
        branch: &Branch,
        pending: &mut Pending,
    ) -> Result<Plan, Refusal> {
        pending.order.in_time()?;
        let names = pending.order.names();
        let standing = Standing::of(&self.writer, branch, &names)?;
        let changed = match branch.commit == head.commit {
            true => self.changed(head, &standing, &names, pending),
            false => self.changed(head, &Standing::of(&self.writer, head, &names)?, &names, pending),
        };
        let edit = Edit {
            writer: &self.writer,
            directory: &self.directory,
            branch,
            standing: &standing,
            order: &pending.order,
            now: now(),
            draft: Draft::default(),
        };
        match edit.plan() {
            // It is already as it was asked for.
            Ok(plan) if plan.is_nothing() => Ok(plan),
            Err(gone @ Refusal::NotFound(_)) => Err(gone),
            plan => match changed {
                Some(name) => Err(self.changed_meanwhile(head, &name)),
                None => plan,
            },
        }
    }

    /// A policy of a request that somebody else has changed since the request was planned first. What was there before
    /// the first fetch was there before the request, unless another user has changed what the first plan was made on.
    fn changed(
        &self,
        head: &Branch,
        standing: &Standing,
        names: &[PolicyName],
        pending: &mut Pending,
    ) -> Option<PolicyName> {
        let (mut changed, mut unfetched) = (None, BTreeSet::new());
        // Who deletes what was not there knows of a newer state.
        let is_delete = matches!(pending.order.action, Action::Delete { .. });
        for name in names {
            let now = Seen { print: standing.print(name), is_assumed: head.is_assumed };
            match pending.first_seen.get_mut(name) {
                None => drop(pending.first_seen.insert(name.clone(), now)),
                Some(first) if first.print == now.print => first.is_assumed &= now.is_assumed,
                Some(first) if first.is_assumed => {
                    if pending.order.is_blind() && !(is_delete && first.print.is_empty()) {
                        unfetched.insert(name.clone());
                    }
                    *first = now;
                }
                Some(_) => changed = changed.or_else(|| Some(name.clone())),
            }
        }
        changed.or_else(|| self.changed_by_another(head, unfetched, &pending.order))
    }

    /// One of these policies whose newest change is not one of the user of the request.
    fn changed_by_another(
        &self,
        head: &Branch,
        names: BTreeSet<PolicyName>,
        order: &Order,
    ) -> Option<PolicyName> {
        if names.is_empty() {
            return None;
        }
        // If it is not known who it was, it was somebody else.
        let last = self.writer.last_changes(head.commit, &names).unwrap_or_default();
        let is_own = |name: &PolicyName| {
            last.get(name).and_then(|commit| commit.user.as_deref()) == Some(order.rights.user.as_str())
        };
        names.into_iter().find(|name| !is_own(name))
    }

    fn changed_meanwhile(&self, branch: &Branch, name: &PolicyName) -> Refusal {
        let by = last_change(&self.writer, branch.commit, name);
        let by = by.map(|commit| format!(" by {commit}")).unwrap_or_default();
        Refusal::Conflict(format!(
            "the policy `{name}` was changed meanwhile{by}; look at it, and send it again"
        ))
    }
}
