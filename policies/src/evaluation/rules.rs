//! Rules in one order, and the first of them that applies to a request.

use super::{index::Index, request_view::RequestView, rule::Rule};
use crate::{
    language::{Direction, Facts},
    wire::{Scope, Snapshot},
};

/// Rules in the order in which they decide.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) rules: Vec<Rule>,
    index: Index,
}

impl Rules {
    /// Compiles the rules of the policies that select the workload, for requests of some directions.
    pub(crate) fn compile(
        snapshot: &Snapshot,
        workload: &Scope,
        is_meant: impl Fn(Direction) -> bool,
    ) -> Self {
        let (mut rules, mut written) = (Vec::new(), Vec::new());
        let selected = snapshot.policies.iter().enumerate();
        let selected = selected.filter(|(_, entry)| workload.is_selected_by(&entry.policy.selector));
        for (position, entry) in selected.filter(|(_, entry)| is_meant(entry.policy.flow.direction())) {
            rules.extend(Rule::compile(entry, position));
            written.extend(entry.policy.rules.iter().map(|rule| (&*entry.policy, rule)));
        }
        Self { index: Index::new(written.into_iter()), rules }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The first rule that applies.
    pub(crate) fn first(&self, view: &RequestView<'_, impl Facts>) -> Option<&Rule> {
        view.facts.announce(self.index.fields());
        let mut candidates =
            self.index.candidates(view).filter_map(|position| self.rules.get(position as usize));
        // Where work is spent, rules may have been passed over that would have decided.
        candidates.find(|rule| rule.mismatch(view).is_none()).filter(|_| !view.work.is_spent())
    }
}
