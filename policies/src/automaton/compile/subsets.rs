//! The subset construction: each state of the result stands for all parts of the regex that a search may
//! have reached at once.
//!
//! A search may begin at every character, so that the start of the regex belongs to every state. It is not
//! stored in any of them: its own steps are worked out once, and joined to those of a state.

use std::{
    collections::{HashMap, hash_map::Entry},
    rc::Rc,
};

use super::{
    alphabet::Alphabet,
    budget::{Budget, Excess, MAX_RAW_CELLS, MAX_STATES},
    look::Kind,
    nfa::Nfa,
    steps::{Reached, Stepper, Steps},
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

/// The steps of the regex's start, and by class the state that they lead to where a state has none of its own.
#[derive(Debug)]
struct Begun {
    steps: Steps,
    states: Vec<Option<u32>>,
}

struct Subsets<'a> {
    alphabet: &'a Alphabet,
    budget: &'a mut Budget,
    stepper: Stepper<'a>,
    states: Vec<State>,
    numbers: HashMap<State, u32>,
    /// By the kind of the character before it.
    begun: HashMap<Kind, Begun>,
    cells: Vec<u32>,
}

impl RawTable {
    /// Builds the table of a regex.
    pub(super) fn new(nfa: &Nfa, alphabet: &Alphabet, budget: &mut Budget) -> Result<Self, Excess> {
        let stepper = Stepper::new(nfa, alphabet, budget)?;
        let columns = alphabet.classes.len() + 1;
        let mut subsets = Subsets {
            alphabet,
            budget,
            stepper,
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
        if self.stepper.is_match_at_once() {
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
        let mut begun = match self.begun.remove(&state.before) {
            Some(begun) => begun,
            None => {
                let steps = self.stepper.begin(state.before, self.budget)?;
                Begun { states: vec![None; steps.by_class.len()], steps }
            }
        };
        let own = self.stepper.step(&state.nodes, state.before, self.budget)?;
        self.budget.spend(self.alphabet.classes.len())?;
        let columns = self.alphabet.classes.iter().zip(own.by_class);
        for ((class, own), (begun, known)) in columns.zip(begun.steps.by_class.iter().zip(&mut begun.states))
        {
            let target = match (own, begun) {
                (Reached::Match, _) | (_, Reached::Match) => MATCH.into(),
                (Reached::Nodes(own), Reached::Nodes(begun)) if own.is_empty() => match known {
                    Some(known) => *known,
                    None => *known.insert(self.number(begun.clone(), class.kind)?),
                },
                (Reached::Nodes(own), Reached::Nodes(begun)) => {
                    self.budget.spend(own.len() + begun.len())?;
                    self.number(union(own, begun), class.kind)?
                }
            };
            self.cells.push(target);
        }
        self.cells.push(if own.at_end || begun.steps.at_end { MATCH } else { REJECT }.into());
        self.begun.insert(state.before, begun);
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
}

/// Two ascending lists as one.
fn union(mut one: Vec<u32>, other: &[u32]) -> Vec<u32> {
    if !other.is_empty() {
        one.extend_from_slice(other);
        // Two runs, which a stable sort merges.
        one.sort();
        one.dedup();
    }
    one
}
