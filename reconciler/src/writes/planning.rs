//! Plans a request: its changes, on the branch with those of the requests before it.

use std::collections::BTreeMap;

use policies::language::PolicyName;

use super::{
    branch::Branch,
    edit::{Draft, Edit, Plan},
    history::last_change,
    outcome::Refusal,
    pending::Pending,
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
            true => changed(head, &standing, &names, pending),
            // Not before there is something to compare with.
            false if head.is_assumed && pending.first_seen.is_empty() => None,
            false => changed(head, &Standing::of(&self.writer, head, &names)?, &names, pending),
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
        let plan = edit.plan();
        match plan {
            // It is already as it was asked for.
            Ok(plan) if plan.is_nothing() => Ok(plan),
            plan => match changed {
                Some(name) => Err(self.changed_meanwhile(head, &name)),
                None => plan,
            },
        }
    }

    fn changed_meanwhile(&self, branch: &Branch, name: &PolicyName) -> Refusal {
        let by = last_change(&self.writer, branch.commit, name);
        let by = by.map(|commit| format!(" by {commit}")).unwrap_or_default();
        Refusal::Conflict(format!(
            "the policy `{name}` was changed meanwhile{by}; look at it, and send it again"
        ))
    }
}

/// A policy of a request that somebody else has changed since the request was planned first. What was there before
/// the first fetch was there before the request.
fn changed(
    head: &Branch,
    standing: &Standing,
    names: &[PolicyName],
    pending: &mut Pending,
) -> Option<PolicyName> {
    let prints: BTreeMap<_, _> = names.iter().map(|name| (name.clone(), standing.print(name))).collect();
    let first_seen = &mut pending.first_seen;
    let changed = prints.iter().find(|(name, now)| first_seen.get(name).is_some_and(|first| first != *now));
    let changed = changed.map(|(name, _)| name.clone());
    if !head.is_assumed {
        for (name, now) in prints {
            first_seen.entry(name).or_insert(now);
        }
    }
    changed
}
