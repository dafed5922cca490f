//! Steps of a search: the parts of the regex that a character leads to, for each class of characters.
//!
//! An anchor or a boundary holds by the character before it and by the one after. The former is known where
//! a step begins, the latter is that of the step.

use regex_syntax::hir::Look;

use super::{
    alphabet::Alphabet,
    budget::{Budget, Excess},
    closures::Closures,
    look::{Kind, holds},
    nfa::{Nfa, Node},
};

/// The parts that are reached by one character.
#[derive(Clone, Debug)]
pub(super) enum Reached {
    /// The regex has matched, before the character or with it.
    Match,
    /// In ascending order.
    Nodes(Vec<u32>),
}

/// The steps from some parts, by class, and whether the regex matches if the value ends there.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) by_class: Vec<Reached>,
    pub(super) at_end: bool,
}

/// The parts that follow by a character of each class, or `None` if the regex has matched before it.
type Following = Vec<Option<Vec<u32>>>;

/// Works out steps.
#[derive(Debug)]
pub(super) struct Stepper<'a> {
    alphabet: &'a Alphabet,
    /// The kinds of its classes.
    kinds: Vec<Kind>,
    closures: Closures<'a>,
}

impl<'a> Stepper<'a> {
    pub(super) fn new(nfa: &'a Nfa, alphabet: &'a Alphabet, budget: &mut Budget) -> Result<Self, Excess> {
        Ok(Self { alphabet, kinds: alphabet.kinds(), closures: Closures::new(nfa, budget)? })
    }

    /// True if the regex fits nothing at all, and so something in every value.
    pub(super) fn is_match_at_once(&self) -> bool {
        self.closures.is_match(self.closures.nfa.start)
    }

    /// The steps from the start of the regex.
    pub(super) fn begin(&mut self, before: Kind, budget: &mut Budget) -> Result<Steps, Excess> {
        let start = self.closures.of(self.closures.nfa.start);
        let mut steps = self.step(&start, before, budget)?;
        // What fits nothing between two bytes of one character fits in each such character.
        let between = |look: Look| holds(look, Kind::Invalid, Kind::Invalid);
        if self.closures.resolve(&start, between, budget)?.is_none() {
            for (class, reached) in self.alphabet.classes.iter().zip(&mut steps.by_class) {
                if class.has_inside {
                    *reached = Reached::Match;
                }
            }
        }
        Ok(steps)
    }

    /// The steps from these parts, after a character of this kind.
    pub(super) fn step(&mut self, nodes: &[u32], before: Kind, budget: &mut Budget) -> Result<Steps, Excess> {
        let mut following = vec![Some(Vec::new()); self.alphabet.classes.len()];
        let mut at_end = false;
        if self.closures.have_look(nodes) {
            for kind in &self.kinds {
                let reached = self.closures.resolve(nodes, |look| holds(look, before, *kind), budget)?;
                match reached {
                    Some(nodes) => self.consume(&nodes, Some(*kind), &mut following, budget)?,
                    None => self.end(*kind, &mut following),
                }
            }
            let reached = self.closures.resolve(nodes, |look| holds(look, before, Kind::Edge), budget)?;
            at_end = reached.is_none();
        } else {
            self.consume(nodes, None, &mut following, budget)?;
        }
        let reached = |following: Option<Vec<u32>>| match following {
            None => Ok(Reached::Match),
            Some(nodes) if nodes.is_empty() => Ok(Reached::Nodes(nodes)),
            Some(nodes) => Ok(self.closures.of_all(nodes, budget)?.map_or(Reached::Match, Reached::Nodes)),
        };
        Ok(Steps { by_class: following.into_iter().map(reached).collect::<Result<_, _>>()?, at_end })
    }

    /// Adds what follows these parts after a character: one of this kind, or any.
    fn consume(
        &self,
        nodes: &[u32],
        kind: Option<Kind>,
        following: &mut Following,
        budget: &mut Budget,
    ) -> Result<(), Excess> {
        let is_of_kind = |class: &u32| kind.is_none_or(|kind| self.alphabet.kind(*class) == Some(kind));
        for node in nodes {
            let Node::Consume { set, next } = self.closures.nfa.node(*node) else { continue };
            let members = self.alphabet.members(*set);
            budget.spend(1 + members.len())?;
            for class in members.iter().filter(|class| is_of_kind(class)) {
                if let Some(Some(nodes)) = following.get_mut(*class as usize) {
                    nodes.push(*next);
                }
            }
        }
        Ok(())
    }

    /// Notes that the regex has matched before a character of this kind.
    fn end(&self, kind: Kind, following: &mut Following) {
        for (class, following) in self.alphabet.classes.iter().zip(following) {
            if class.kind == kind {
                *following = None;
            }
        }
    }
}
