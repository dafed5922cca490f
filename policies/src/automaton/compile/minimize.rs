//! States that no value can tell apart, by Hopcroft's algorithm.

use super::{dense::Dense, subsets::RawTable};
use crate::automaton::MATCH;

/// States in blocks. A block is split as soon as two of its states are known to differ.
struct Partition {
    /// All states, those of a block next to each other.
    states: Dense<u32>,
    /// Of each state in `states`.
    positions: Dense<u32>,
    blocks: Dense<u32>,
    begins: Dense<u32>,
    ends: Dense<u32>,
    /// The number of states of a block that have been marked: the first of it.
    marked: Dense<u32>,
    touched: Vec<u32>,
}

/// The states that lead to a state, by column.
struct Sources {
    begins: Dense<u32>,
    states: Dense<u32>,
    count: u32,
}

/// The block of each state: two states are in one block if no value tells them apart.
pub(super) fn blocks(table: &RawTable) -> Vec<u32> {
    let count = (table.cells.len() / table.columns) as u32;
    let mut partition = Partition::new(count);
    // At first all that is known is that one state is a match.
    partition.mark(MATCH.into());
    let mut waiting: Vec<_> = partition.split_touched().into_iter().map(|(new, _)| new).collect();
    let mut is_waiting = Dense::<bool>::new(count as usize);
    waiting.iter().for_each(|block| is_waiting.set(*block, true));
    let columns: Vec<_> = (0..table.columns).map(|column| Sources::new(table, column, count)).collect();
    while let Some(splitter) = waiting.pop() {
        is_waiting.set(splitter, false);
        let states = partition.states_of(splitter).to_vec();
        for sources in &columns {
            for state in &states {
                sources.of(*state).iter().for_each(|source| partition.mark(*source));
            }
            for (new, old) in partition.split_touched() {
                // The smaller part is enough, unless the whole is still to come.
                let smaller = if partition.size(new) <= partition.size(old) { new } else { old };
                let next = if is_waiting.at(old) { new } else { smaller };
                is_waiting.set(next, true);
                waiting.push(next);
            }
        }
    }
    (0..count).map(|state| partition.blocks.at(state)).collect()
}

impl Partition {
    /// One block of all states.
    fn new(count: u32) -> Self {
        let (mut states, mut positions) = (Dense::new(count as usize), Dense::new(count as usize));
        for state in 0..count {
            states.set(state, state);
            positions.set(state, state);
        }
        let one = |value| {
            let mut dense = Dense::new(0);
            dense.push(value);
            dense
        };
        let blocks = Dense::new(count as usize);
        let (begins, ends, marked) = (one(0), one(count), one(0));
        Self { states, positions, blocks, begins, ends, marked, touched: Vec::new() }
    }

    fn size(&self, block: u32) -> u32 {
        self.ends.at(block) - self.begins.at(block)
    }

    fn states_of(&self, block: u32) -> &[u32] {
        self.states.slice(self.begins.at(block), self.ends.at(block))
    }

    /// Marks a state: it differs from those of its block that are not marked.
    fn mark(&mut self, state: u32) {
        let block = self.blocks.at(state);
        let (position, marked) = (self.positions.at(state), self.marked.at(block));
        let border = self.begins.at(block) + marked;
        if position < border {
            return;
        }
        let other = self.states.at(border);
        self.states.set(border, state);
        self.positions.set(state, border);
        self.states.set(position, other);
        self.positions.set(other, position);
        if marked == 0 {
            self.touched.push(block);
        }
        self.marked.set(block, marked + 1);
    }

    /// Splits the blocks of which a part is marked: the new blocks, and those that they were a part of.
    fn split_touched(&mut self) -> Vec<(u32, u32)> {
        let mut split = Vec::new();
        for block in std::mem::take(&mut self.touched) {
            let (begin, marked) = (self.begins.at(block), self.marked.at(block));
            self.marked.set(block, 0);
            if marked == self.size(block) {
                continue;
            }
            let new = self.begins.len() as u32;
            self.begins.push(begin);
            self.ends.push(begin + marked);
            self.marked.push(0);
            self.begins.set(block, begin + marked);
            for position in begin..begin + marked {
                self.blocks.set(self.states.at(position), new);
            }
            split.push((new, block));
        }
        split
    }
}

impl Sources {
    fn new(RawTable { columns, cells, .. }: &RawTable, column: usize, count: u32) -> Self {
        let targets = || cells.iter().skip(column).step_by(*columns);
        let mut begins = Dense::new(count as usize + 1);
        targets().for_each(|target| begins.set(target + 1, begins.at(target + 1) + 1));
        for state in 0..count {
            begins.set(state + 1, begins.at(state) + begins.at(state + 1));
        }
        let (mut states, mut filled) = (Dense::new(count as usize), Dense::<u32>::new(count as usize));
        for (source, target) in (0..).zip(targets()) {
            states.set(begins.at(*target) + filled.at(*target), source);
            filled.set(*target, filled.at(*target) + 1);
        }
        Self { begins, states, count }
    }

    fn of(&self, state: u32) -> &[u32] {
        if state < self.count {
            self.states.slice(self.begins.at(state), self.begins.at(state + 1))
        } else {
            &[]
        }
    }
}
