//! Arrays by numbers that the compiler gives out itself.

/// An array. Beyond its end each item is the default, and cannot be set.
#[derive(Debug)]
pub(super) struct Dense<T>(Vec<T>);

impl<T: Copy + Default> Dense<T> {
    /// So many defaults.
    pub(super) fn new(length: usize) -> Self {
        Self(vec![T::default(); length])
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn at(&self, position: u32) -> T {
        self.0.get(position as usize).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, position: u32, value: T) {
        if let Some(place) = self.0.get_mut(position as usize) {
            *place = value;
        }
    }

    pub(super) fn push(&mut self, value: T) {
        self.0.push(value);
    }

    pub(super) fn slice(&self, from: u32, to: u32) -> &[T] {
        self.0.get(from as usize..to as usize).unwrap_or_default()
    }
}

/// Numbers that have been seen since the last [`clear`](Self::clear), which costs nothing.
#[derive(Debug)]
pub(super) struct Seen {
    rounds: Dense<u32>,
    round: u32,
}

impl Seen {
    /// Of the numbers below `length`.
    pub(super) fn new(length: usize) -> Self {
        Self { rounds: Dense::new(length), round: 1 }
    }

    pub(super) fn clear(&mut self) {
        self.round += 1;
    }

    pub(super) fn contains(&self, number: u32) -> bool {
        self.rounds.at(number) == self.round
    }

    /// Adds a number; true if it is new.
    pub(super) fn insert(&mut self, number: u32) -> bool {
        let is_new = !self.contains(number);
        self.rounds.set(number, self.round);
        is_new
    }
}
