//! The parts of a regex that are reached without a character.

use std::rc::Rc;

use regex_syntax::hir::Look;

use super::{
    budget::{Budget, Excess},
    dense::Seen,
    nfa::{Nfa, Node},
};

/// For each part that follows another, the characters, anchors and ends that come next.
#[derive(Debug)]
pub(super) struct Closures<'n> {
    pub(super) nfa: &'n Nfa,
    /// By part; `None` if the regex has matched there.
    by_node: Vec<Option<Rc<[u32]>>>,
    seen: Seen,
}

impl<'n> Closures<'n> {
    /// Works out all of them.
    pub(super) fn new(nfa: &'n Nfa, budget: &mut Budget) -> Result<Self, Excess> {
        let length = nfa.nodes.len();
        let mut closures = Self { nfa, by_node: vec![Some(Rc::from([])); length], seen: Seen::new(length) };
        let followers = nfa.nodes.iter().filter_map(|node| match node {
            Node::Consume { next, .. } | Node::Look { next, .. } => Some(*next),
            Node::Split(_) | Node::Match => None,
        });
        for node in followers.chain([nfa.start]) {
            let closure = closures.walk(node, budget)?;
            if let Some(place) = closures.by_node.get_mut(node as usize) {
                *place = closure.map(Rc::from);
            }
        }
        Ok(closures)
    }

    fn walk(&mut self, node: u32, budget: &mut Budget) -> Result<Option<Vec<u32>>, Excess> {
        self.seen.clear();
        let (mut found, mut left) = (Vec::new(), vec![node]);
        while let Some(node) = left.pop() {
            budget.spend(1)?;
            if self.seen.insert(node) {
                match self.nfa.node(node) {
                    Node::Split(nodes) => left.extend_from_slice(nodes),
                    Node::Match => return Ok(None),
                    Node::Consume { .. } | Node::Look { .. } => found.push(node),
                }
            }
        }
        Ok(Some(found))
    }

    /// What comes next; nothing if the regex has matched.
    pub(super) fn of(&self, node: u32) -> Rc<[u32]> {
        self.by_node.get(node as usize).cloned().flatten().unwrap_or_default()
    }

    /// True if the regex has matched there.
    pub(super) fn is_match(&self, node: u32) -> bool {
        matches!(self.by_node.get(node as usize), Some(None))
    }

    /// What comes next after any of these, in ascending order; `None` if the regex has matched.
    pub(super) fn of_all(
        &mut self,
        nodes: Vec<u32>,
        budget: &mut Budget,
    ) -> Result<Option<Vec<u32>>, Excess> {
        let Self { by_node, seen, .. } = self;
        seen.clear();
        let mut found = Vec::new();
        for node in nodes {
            let Some(Some(closure)) = by_node.get(node as usize) else { return Ok(None) };
            budget.spend(closure.len())?;
            found.extend(closure.iter().copied().filter(|node| seen.insert(*node)));
        }
        // If there are many, to try each number is cheaper than to sort them.
        if found.len() > by_node.len() / 8 {
            budget.spend(by_node.len() / 8)?;
            found.clear();
            found.extend((0..by_node.len() as u32).filter(|node| seen.contains(*node)));
        } else {
            found.sort_unstable();
        }
        Ok(Some(found))
    }

    /// True if any of these is an anchor or a boundary.
    pub(super) fn have_look(&self, nodes: &[u32]) -> bool {
        nodes.iter().any(|node| matches!(self.nfa.node(*node), Node::Look { .. }))
    }

    /// These without their anchors and boundaries, but with what follows those that hold; `None` if the
    /// regex has matched.
    pub(super) fn resolve(
        &mut self,
        nodes: &[u32],
        holds: impl Fn(Look) -> bool,
        budget: &mut Budget,
    ) -> Result<Option<Vec<u32>>, Excess> {
        self.seen.clear();
        let (mut found, mut left) = (Vec::new(), nodes.to_vec());
        while let Some(node) = left.pop() {
            budget.spend(1)?;
            if !self.seen.insert(node) {
                continue;
            }
            match self.nfa.node(node) {
                Node::Look { look, next } if holds(*look) => match self.by_node.get(*next as usize) {
                    Some(Some(closure)) => left.extend_from_slice(closure),
                    _ => return Ok(None),
                },
                Node::Consume { .. } => found.push(node),
                Node::Look { .. } | Node::Split(_) | Node::Match => {}
            }
        }
        Ok(Some(found))
    }
}
