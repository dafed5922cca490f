//! Policies that come into force by a request.

use std::sync::Arc;

use policies::{
    Timestamp,
    editing::{Document, RESTARTED_AT},
    language::PolicyName,
    reading::{Finding, Place, Problem},
    wire::SnapshotEntry,
};

use super::Edit;
use crate::{
    api::writes::WriteResult,
    writes::{
        history::last_change,
        outcome::Refusal,
        restart::{Before, Effect, effect},
    },
};

impl Edit<'_> {
    /// The document with the annotation of its last restart, and what becomes of the policy.
    pub(super) fn restarted(
        &mut self,
        name: &PolicyName,
        existing: &Document,
        document: Document,
        file: &str,
    ) -> Result<(Document, WriteResult), Refusal> {
        let wanted = match (existing.annotation(RESTARTED_AT), document.annotation(RESTARTED_AT)) {
            // Who sends the policy without it does not mean to begin its duration anew.
            (Some(at), None) => document.with_annotation(RESTARTED_AT, Some(at)),
            _ => document,
        };
        let Some(policy) = existing.policy() else { return Ok((wanted, WriteResult::Configured)) };
        let entry = match self.branch.policy(name) {
            Some(located) => located.entry.clone(),
            None => SnapshotEntry { policy: Arc::clone(policy), started_at: None },
        };
        let restart = self.order.options.restart;
        match effect(existing, &entry, &wanted, self.now) {
            Effect::None => Ok((wanted, WriteResult::Configured)),
            Effect::Over { at } if restart && policy.expires_at.is_none_or(|end| end > self.now) => {
                let now = self.now.to_rfc3339();
                self.warn_of_end(at, file, " before it was restarted");
                Ok((wanted.with_annotation(RESTARTED_AT, Some(&now)), WriteResult::Restarted))
            }
            Effect::Over { at } => {
                self.warn_of_end(at, file, "");
                Ok((wanted, WriteResult::Configured))
            }
            Effect::Restarts { .. } if restart => Ok((wanted, WriteResult::Restarted)),
            Effect::Restarts { before } => Err(self.needs_restart(name, before)),
        }
    }

    fn needs_restart(&self, name: &PolicyName, before: Before) -> Refusal {
        let by = last_change(self.writer, self.branch.commit, name);
        let by = by.map(|commit| format!(" (by {commit})")).unwrap_or_default();
        Refusal::Conflict(format!(
            "the policy `{name}` {}{by}; to put it into force anew, add `restart=true` to the query",
            before.text()
        ))
    }

    fn warn_of_end(&mut self, at: Timestamp, file: &str, rest: &str) {
        let message = format!("ended at {}{rest}", at.to_rfc3339());
        let finding = Finding { place: Place::default(), field: String::new(), message };
        self.draft.warnings.push(Problem { file: file.into(), finding });
    }
}
