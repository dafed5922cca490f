//! A regex as a graph of parts: the nondeterministic automaton.

use std::collections::{HashMap, hash_map::Entry};

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

use super::budget::{Budget, Excess, MAX_STATES};

/// Code points: the first and the last of each range.
pub(super) type Ranges = Vec<(u32, u32)>;

/// A part of a regex, by the numbers of those that follow.
#[derive(Debug)]
pub(super) enum Node {
    /// One character of a set.
    Consume { set: usize, next: u32 },
    /// Any of these.
    Split(Vec<u32>),
    /// Nothing, in a place where this holds.
    Look { look: Look, next: u32 },
    /// The end of the regex.
    Match,
}

/// The parts of a regex.
#[derive(Debug)]
pub(super) struct Nfa {
    pub(super) nodes: Vec<Node>,
    pub(super) sets: Vec<Ranges>,
    pub(super) start: u32,
}

struct Builder<'b> {
    nodes: Vec<Node>,
    sets: Vec<Ranges>,
    numbers: HashMap<Ranges, usize>,
    budget: &'b mut Budget,
}

impl Nfa {
    /// Writes a regex out.
    pub(super) fn new(hir: &Hir, budget: &mut Budget) -> Result<Self, Excess> {
        let mut builder = Builder { nodes: Vec::new(), sets: Vec::new(), numbers: HashMap::new(), budget };
        let end = builder.push(Node::Match)?;
        let start = builder.add(hir, end)?;
        let Builder { nodes, sets, .. } = builder;
        Ok(Self { nodes, sets, start })
    }

    pub(super) fn node(&self, number: u32) -> &Node {
        self.nodes.get(number as usize).unwrap_or(&Node::Match)
    }
}

impl Builder<'_> {
    /// Adds the parts of a regex that is followed by `next`; the first of them.
    fn add(&mut self, hir: &Hir, next: u32) -> Result<u32, Excess> {
        match hir.kind() {
            HirKind::Empty => Ok(next),
            HirKind::Literal(literal) => {
                // The parser has refused literals that are not UTF-8.
                let text = String::from_utf8_lossy(&literal.0);
                let one = |character| vec![(u32::from(character), u32::from(character))];
                text.chars().rev().try_fold(next, |next, character| self.consume(one(character), next))
            }
            HirKind::Class(class) => self.consume(ranges(class), next),
            HirKind::Look(look) => self.push(Node::Look { look: *look, next }),
            HirKind::Repetition(repetition) => self.repeat(repetition, next),
            HirKind::Capture(capture) => self.add(&capture.sub, next),
            HirKind::Concat(parts) => parts.iter().rev().try_fold(next, |next, part| self.add(part, next)),
            HirKind::Alternation(parts) => {
                let first = parts.iter().map(|part| self.add(part, next)).collect::<Result<_, _>>()?;
                self.push(Node::Split(first))
            }
        }
    }

    fn repeat(&mut self, Repetition { min, max, sub, .. }: &Repetition, next: u32) -> Result<u32, Excess> {
        let mut first = next;
        match max {
            Some(max) => {
                for _ in *min..*max {
                    self.budget.spend(1)?;
                    let more = self.add(sub, first)?;
                    first = self.push(Node::Split(vec![more, next]))?;
                }
            }
            None => {
                first = self.push(Node::Split(Vec::new()))?;
                let more = self.add(sub, first)?;
                if let Some(again) = self.nodes.get_mut(first as usize) {
                    *again = Node::Split(vec![more, next]);
                }
            }
        }
        for _ in 0..*min {
            self.budget.spend(1)?;
            first = self.add(sub, first)?;
        }
        Ok(first)
    }

    fn consume(&mut self, ranges: Ranges, next: u32) -> Result<u32, Excess> {
        self.budget.spend(ranges.len())?;
        // To hash a class of Unicode takes as long as to read it.
        let set = match self.numbers.entry(ranges) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.sets.push(new.key().clone());
                *new.insert(self.sets.len() - 1)
            }
        };
        self.push(Node::Consume { set, next })
    }

    fn push(&mut self, node: Node) -> Result<u32, Excess> {
        // A part is a character, or a choice before one.
        if self.nodes.len() >= 2 * MAX_STATES {
            return Err(Excess::Parts);
        }
        self.nodes.push(node);
        Ok(self.nodes.len() as u32 - 1)
    }
}

/// The code points of a class. A class of bytes has only ASCII: the parser has refused all others.
pub(super) fn ranges(class: &Class) -> Ranges {
    match class {
        Class::Unicode(class) => {
            class.iter().map(|range| (u32::from(range.start()), u32::from(range.end()))).collect()
        }
        Class::Bytes(class) => {
            class.iter().map(|range| (u32::from(range.start()), u32::from(range.end()))).collect()
        }
    }
}
