//! A snapshot compiled for a waypoint, which stands for many services.

use std::{collections::HashMap, rc::Rc};

use super::{
    program::Program,
    rules::{Group, Rules},
};
use crate::{
    language::{Direction, Selector},
    wire::{Scope, Snapshot},
};

/// The most groups of a program. A request looks into each of them.
const MOST_GROUPS: usize = 16;

/// The rules of a snapshot, by selector. Each policy is compiled once, however many services it selects, so that no
/// request waits for it, unless more than 16 selectors select its service.
#[derive(Debug)]
pub struct SharedRules {
    snapshot: Snapshot,
    groups: Vec<(Selector, Rc<Group>)>,
}

impl SharedRules {
    /// Compiles all policies. Requests to a waypoint are inbound, so the others do nothing there.
    pub fn compile(snapshot: &Snapshot) -> Self {
        let mut by_selector = HashMap::<_, Vec<_>>::new();
        let inbound = snapshot.policies.iter().enumerate();
        for (position, entry) in
            inbound.filter(|(_, entry)| entry.policy.flow.direction() == Direction::Inbound)
        {
            by_selector.entry(&entry.policy.selector).or_default().push((position, entry));
        }
        let group =
            |(selector, entries): (&Selector, Vec<_>)| (selector.clone(), Rc::new(Group::compile(&entries)));
        Self { snapshot: snapshot.clone(), groups: by_selector.into_iter().map(group).collect() }
    }

    /// True if there is no policy.
    pub fn is_empty(&self) -> bool {
        self.snapshot.policies.is_empty()
    }

    /// The program of one service of the waypoint, for inbound requests. One that uncommonly many selectors select gets
    /// rules of its own, in one index.
    pub fn program(&self, service: &Scope) -> Program {
        let selected = self.groups.iter().filter(|(selector, _)| service.is_selected_by(selector));
        let groups: Vec<_> = selected.map(|(_, group)| Rc::clone(group)).collect();
        if groups.len() > MOST_GROUPS {
            return Program::compile(&self.snapshot, service);
        }
        Program::of(Rules::of(groups), service)
    }
}
