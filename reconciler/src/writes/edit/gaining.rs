//! Policies that were not sent, and come into force because something else goes.

use std::{collections::HashSet, sync::Arc};

use policies::{
    language::Selector,
    reading::{Finding, Place, Problem},
    repository::LocatedPolicy,
};

use super::Edit;
use crate::writes::{branch::Branch, order::Action, outcome::Refusal, selection};

/// The most policies that are told.
const MAX_TOLD: usize = 20;

impl Edit<'_> {
    /// Checks what the branch with the change has in force that it had not, apart from what was sent: it must be
    /// within the rights of the user, and wished for. Returns a warning for each.
    pub(super) fn may_gain(&self, after: &Branch) -> Result<Vec<Problem>, Refusal> {
        let gained = self.gained(after);
        gained.iter().try_for_each(|located| self.may_start(located))?;
        if let Some(first) = gained.first().filter(|_| !self.order.options.restart) {
            return Err(Refusal::Conflict(format!(
                "this {}, which was not in force; if that is meant, add `restart=true` to the query",
                starts(first)
            )));
        }
        let warnings = gained.into_iter().take(MAX_TOLD).map(|located| {
            let finding = Finding { place: Place::default(), field: String::new(), message: starts(located) };
            Problem { file: Arc::clone(&located.file), finding }
        });
        Ok(warnings.collect())
    }

    fn gained<'a>(&self, after: &'a Branch) -> Vec<&'a LocatedPolicy> {
        let sent = match &self.order.action {
            Action::Put(_) => self.order.names(),
            Action::Delete { .. } => Vec::new(),
        };
        let before = self.branch.catalog.policies();
        let valid: HashSet<_> =
            before.iter().map(|located| (&located.entry.policy.name, &located.file)).collect();
        let gained = after.catalog.policies().iter().filter(|located| {
            let entry = &located.entry;
            let is_over = entry.last_end().is_some_and(|end| end <= self.now);
            let is_new = !valid.contains(&(&entry.policy.name, &located.file));
            is_new && !sent.contains(&entry.policy.name) && !entry.policy.suspend && !is_over
        });
        gained.collect()
    }

    fn may_start(&self, located: &LocatedPolicy) -> Result<(), Refusal> {
        let (rights, selector) = (&self.order.rights, &located.entry.policy.selector);
        let user = rights.user.as_str();
        let allowed = self.may_touch(&located.file).and_then(|()| selection::covered(selector, rights));
        let allowed = allowed.and_then(|()| match *selector == Selector::any() && !rights.wildcard {
            true => Err(Refusal::Forbidden(format!(
                "it selects everything, and `{user}` has not the right `wildcard`"
            ))),
            false => Ok(()),
        });
        allowed
            .map_err(|refusal| Refusal::Forbidden(format!("this {}: {}", starts(located), refusal.reason())))
    }
}

fn starts(located: &LocatedPolicy) -> String {
    format!("puts the policy `{}` of {} into force", located.entry.policy.name, located.file)
}
