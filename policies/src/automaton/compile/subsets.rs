//! The subset construction: each state of the result stands for all parts of the regex that a search may
//! have reached at once.
//!
//! A search may begin at every character, so that the start of the regex belongs to every state. It is not
//! stored in any of them: its own steps are worked out once, and joined to those of a state.
//!
//! An anchor or a boundary needs to know the character before it and the one after. The former is a part of
//! a state, the latter is that of the step.

use std::{
    collections::{HashMap, hash_map::Entry},
    rc::Rc,
};

use regex_syntax::hir::Look;

use super::{
    alphabet::Alphabet,
    budget::{Budget, Excess, MAX_RAW_CELLS, MAX_STATES},
    closures::Closures,
    look::Kind,
    nfa::{Nfa, Node},
};
use crate::automaton::{MATCH, REJECT};

/// A table before equal states are merged: a row for each state, also for [`REJECT`] and [`MATCH`]. A row
/// has a column for each class, and one for the end of the value.
#[derive(Debug)]
pub(super) struct RawTable {
    pub(super) columns: usize,
    pub(super) cells: Vec<u32>,
    pub(super) start: u32,
}

/// The parts of the regex that are reached, without its start, and the kind of the last character.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    nodes: Rc<[u32]>,
    before: Kind,
}

/// The parts that are reached from a state, by class, and whether it matches at the end of the value.
#[derive(Debug)]
struct Steps {
    by_class: Vec<Reached>,
    at_end: bool,
}

#[derive(Clone, Debug)]
enum Reached {
    Match,
    /// In ascending order.
    Nodes(Vec<u32>),
}

struct Subsets<'a> {
    alphabet: &'a Alphabet,
    /// The kinds of its classes.
    kinds: Vec<Kind>,
    budget: &'a mut Budget,
    closures: Closures<'a>,
    states: Vec<State>,
    numbers: HashMap<State, u32>,
    /// The steps of the regex's start, by the kind of the character before it.
    begun: HashMap<Kind, Rc<Steps>>,
    cells: Vec<u32>,
}

impl RawTable {
    /// Builds the table of a regex.
    pub(super) fn new(nfa: &Nfa, alphabet: &Alphabet, budget: &mut Budget) -> Result<Self, Excess> {
        let closures = Closures::new(nfa, budget)?;
        let columns = alphabet.classes.len() + 1;
        let mut subsets = Subsets {
            alphabet,
            kinds: alphabet.kinds(),
            budget,
            closures,
            states: Vec::new(),
            numbers: HashMap::new(),
            begun: HashMap::new(),
            cells: [REJECT, MATCH].into_iter().flat_map(|end| vec![u32::from(end); columns]).collect(),
        };
        let start = subsets.run()?;
        Ok(Self { columns, cells: subsets.cells, start })
    }
}

impl Subsets<'_> {
    /// Builds all rows; the number of the state in which a search begins.
    fn run(&mut self) -> Result<u32, Excess> {
        if self.closures.is_match(self.closures.nfa.start) {
            return Ok(MATCH.into());
        }
        let start = self.number(Vec::new(), Kind::Edge)?;
        let mut position = 0;
        while let Some(state) = self.states.get(position).cloned() {
            self.add_row(&state)?;
            position += 1;
        }
        Ok(start)
    }

    fn add_row(&mut self, state: &State) -> Result<(), Excess> {
        let begun = match self.begun.get(&state.before) {
            Some(begun) => Rc::clone(begun),
            None => {
                let begun = Rc::new(self.begin(state.before)?);
                self.begun.insert(state.before, Rc::clone(&begun));
                begun
            }
        };
        let own = self.step(&state.nodes, state.before)?;
        self.budget.spend(self.alphabet.classes.len())?;
        for ((class, own), begun) in self.alphabet.classes.iter().zip(own.by_class).zip(&begun.by_class) {
            let target = match (own, begun) {
                (Reached::Match, _) | (_, Reached::Match) => MATCH.into(),
                (Reached::Nodes(own), Reached::Nodes(begun)) => {
                    self.budget.spend(own.len() + begun.len())?;
                    self.number(union(own, begun), class.kind)?
                }
            };
            self.cells.push(target);
        }
        self.cells.push(if own.at_end || begun.at_end { MATCH } else { REJECT }.into());
        if self.cells.len() > MAX_RAW_CELLS { Err(Excess::Cells) } else { Ok(()) }
    }

    /// The number of a state, which is a new one if it is not known.
    fn number(&mut self, nodes: Vec<u32>, before: Kind) -> Result<u32, Excess> {
        match self.numbers.entry(State { nodes: nodes.into(), before }) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(new) => {
                if self.states.len() >= MAX_STATES {
                    return Err(Excess::States);
                }
                self.states.push(new.key().clone());
                // The first two numbers are those of the ends.
                Ok(*new.insert(self.states.len() as u32 + 1))
            }
        }
    }

    /// The steps of the regex's start.
    fn begin(&mut self, before: Kind) -> Result<Steps, Excess> {
        let start = self.closures.of(self.closures.nfa.start);
        let mut steps = self.step(&start, before)?;
        // What matches nothing between two bytes of one character matches in each such character.
        let holds = |look: Look| super::look::holds(look, Kind::Invalid, Kind::Invalid);
        if self.closures.resolve(&start, holds, self.budget)?.is_none() {
            for (class, reached) in self.alphabet.classes.iter().zip(&mut steps.by_class) {
                if class.has_inside {
                    *reached = Reached::Match;
                }
            }
        }
        Ok(steps)
    }

    fn step(&mut self, nodes: &[u32], before: Kind) -> Result<Steps, Excess> {
        let alphabet = self.alphabet;
        let mut next = vec![Some(Vec::new()); alphabet.classes.len()];
        let mut at_end = false;
        if self.closures.have_look(nodes) {
            for kind in self.kinds.clone() {
                let holds = |look: Look| super::look::holds(look, before, kind);
                let reached = self.closures.resolve(nodes, holds, self.budget)?;
                self.consume(reached.as_deref(), Some(kind), &mut next)?;
            }
            let holds = |look: Look| super::look::holds(look, before, Kind::Edge);
            at_end = self.closures.resolve(nodes, holds, self.budget)?.is_none();
        } else {
            self.consume(Some(nodes), None, &mut next)?;
        }
        let reached = |next| match next {
            None => Ok(Reached::Match),
            Some(next) => Ok(self.closures.of_all(next, self.budget)?.map_or(Reached::Match, Reached::Nodes)),
        };
        Ok(Steps { by_class: next.into_iter().map(reached).collect::<Result<_, _>>()?, at_end })
    }

    /// Adds the parts that follow the given ones after a character, by its class; only for classes of one
    /// kind, or for all. No parts given: the regex has matched before the character.
    fn consume(
        &mut self,
        nodes: Option<&[u32]>,
        kind: Option<Kind>,
        next: &mut [Option<Vec<u32>>],
    ) -> Result<(), Excess> {
        let alphabet = self.alphabet;
        let is_meant = |class: u32| {
            kind.is_none_or(|kind| alphabet.class(class).is_some_and(|class| class.kind == kind))
        };
        let Some(nodes) = nodes else {
            for (class, next) in (0..).zip(next) {
                if is_meant(class) {
                    *next = None;
                }
            }
            return Ok(());
        };
        for node in nodes {
            let Node::Consume { set, next: after } = self.closures.nfa.node(*node) else { continue };
            let members = alphabet.members(*set);
            self.budget.spend(1 + members.len())?;
            for class in members.iter().filter(|class| is_meant(**class)) {
                if let Some(Some(next)) = next.get_mut(*class as usize) {
                    next.push(*after);
                }
            }
        }
        Ok(())
    }
}

/// Two ascending lists as one.
fn union(mut one: Vec<u32>, other: &[u32]) -> Vec<u32> {
    if one.is_empty() {
        return other.to_vec();
    }
    if !other.is_empty() {
        one.extend_from_slice(other);
        // Two runs, which a stable sort merges.
        one.sort();
        one.dedup();
    }
    one
}
