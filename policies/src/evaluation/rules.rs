//! Rules in one order, and the first of them that applies to a request.

use std::rc::Rc;

use super::{index::Index, request_view::RequestView, rule::Rule};
use crate::{
    language::{Direction, Facts, Policy},
    wire::{Scope, Snapshot, SnapshotEntry},
};

/// Rules in the order in which they decide.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// Each policy is in one of them.
    groups: Vec<Rc<Group>>,
    /// The number of fields that are read from every request.
    fields: usize,
}

/// Rules that are compiled together. Several programs can have them.
#[derive(Debug)]
pub(crate) struct Group {
    rules: Vec<Rule>,
    index: Index,
}

impl Rules {
    /// Compiles the rules of the policies that select the workload, for requests of one direction, or of both.
    pub(crate) fn compile(snapshot: &Snapshot, workload: &Scope, direction: Option<Direction>) -> Self {
        let is_meant = |policy: &Policy| {
            workload.is_selected_by(&policy.selector)
                && direction.is_none_or(|direction| policy.flow.direction() == direction)
        };
        let entries: Vec<_> =
            snapshot.policies.iter().enumerate().filter(|(_, entry)| is_meant(&entry.policy)).collect();
        Self::of(if entries.is_empty() { Vec::new() } else { vec![Rc::new(Group::compile(&entries))] })
    }

    /// The rules of these groups.
    pub(crate) fn of(groups: Vec<Rc<Group>>) -> Self {
        let fields = Index::fields(groups.iter().map(|group| &group.index));
        Self { groups, fields }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// All rules, in their order.
    pub(crate) fn all(&self) -> Vec<&Rule> {
        let mut rules: Vec<_> = self.groups.iter().flat_map(|group| &group.rules).collect();
        rules.sort_by_key(|rule| rule.position());
        rules
    }

    /// The first rule that applies.
    pub(crate) fn first(&self, view: &RequestView<'_, impl Facts>) -> Option<&Rule> {
        view.facts.announce(self.fields);
        let applies = |rule: &&Rule| rule.mismatch(view).is_none();
        let first = match &*self.groups {
            [group] => group.candidates(view).find(applies),
            groups => in_one_order(groups.iter().map(|group| group.candidates(view))).find(applies),
        };
        // Where work is spent, rules may have been passed over that would have decided.
        first.filter(|_| !view.work.is_spent())
    }
}

impl Group {
    /// Compiles the rules of these policies, each of which comes with its position in the snapshot.
    pub(crate) fn compile(entries: &[(usize, &SnapshotEntry)]) -> Self {
        let (mut rules, mut written) = (Vec::new(), Vec::new());
        for (position, entry) in entries {
            rules.extend(Rule::compile(entry, *position));
            written.extend(entry.policy.rules.iter().map(|rule| (&*entry.policy, rule)));
        }
        Self { index: Index::new(written.into_iter()), rules }
    }

    /// The rules that can match the request, in their order.
    fn candidates(&self, view: &RequestView<'_, impl Facts>) -> impl Iterator<Item = &Rule> {
        self.index.candidates(view).filter_map(|position| self.rules.get(position as usize))
    }
}

/// Rules of several groups in one order.
fn in_one_order<'r>(
    groups: impl Iterator<Item = impl Iterator<Item = &'r Rule>>,
) -> impl Iterator<Item = &'r Rule> {
    let mut groups: Vec<_> = groups.map(|mut rules| (rules.next(), rules)).collect();
    std::iter::from_fn(move || {
        let (next, rest) =
            groups.iter_mut().min_by_key(|(next, _)| next.map_or(usize::MAX, Rule::position))?;
        std::mem::replace(next, rest.next())
    })
}
