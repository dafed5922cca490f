//! Two of many, so that each of them can name another.

/// The first number of many, and another one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pair {
    first: Option<usize>,
    other: Option<usize>,
}

impl Pair {
    pub(super) fn add(&mut self, number: usize) {
        match self.first {
            None => self.first = Some(number),
            Some(first) if first != number && self.other.is_none() => self.other = Some(number),
            Some(_) => {}
        }
    }

    /// A number that is not this one.
    pub(super) fn other_than(self, number: usize) -> Option<usize> {
        [self.first, self.other].into_iter().flatten().find(|other| *other != number)
    }
}
