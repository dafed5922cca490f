//! Two of many, so that each of them can name one of another party.

/// The first number of many, and the first one of another party. Where each number is its own party, these are two of
/// them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<P> {
    first: Option<(P, usize)>,
    other: Option<(P, usize)>,
}

impl<P> Default for Pair<P> {
    fn default() -> Self {
        Self { first: None, other: None }
    }
}

impl<P: Copy + PartialEq> Pair<P> {
    pub(super) fn add(&mut self, party: P, number: usize) {
        match self.first {
            None => self.first = Some((party, number)),
            Some((first, _)) if first != party && self.other.is_none() => self.other = Some((party, number)),
            Some(_) => {}
        }
    }

    /// The first number that is not of this party.
    pub(super) fn unlike(self, party: P) -> Option<usize> {
        let other = [self.first, self.other].into_iter().flatten().find(|(other, _)| *other != party);
        other.map(|(_, number)| number)
    }
}
