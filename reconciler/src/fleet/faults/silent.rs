//! The lives that have been silent for long, found together: there may be many lives to look through.

use std::cmp::Reverse;

use super::{Millis, key::LifeKey};

/// The time between two searches.
const PAUSE: Millis = 1_000;

#[derive(Debug, Default)]
pub(super) struct Silent {
    /// The oldest last.
    found: Vec<LifeKey>,
    looked: Option<Millis>,
    #[cfg(test)]
    pub(super) searches: usize,
}

impl Silent {
    /// Looks for some, if none are left of those that were found, and not a moment ago. `find` has the time of the last
    /// report of each.
    pub(super) fn look<I: Iterator<Item = (Millis, LifeKey)>>(
        &mut self,
        now: Millis,
        find: impl FnOnce() -> I,
    ) {
        let is_early = self.looked.is_some_and(|looked| now < looked.saturating_add(PAUSE));
        if is_early || !self.found.is_empty() {
            return;
        }
        #[cfg(test)]
        {
            self.searches += 1;
        }
        let mut found: Vec<_> = find().map(|(at, key)| (Reverse(at), key)).collect();
        found.sort_unstable();
        self.found = found.into_iter().map(|(_, key)| key).collect();
        self.looked = Some(now);
    }

    /// The oldest of those that were found, which is then no longer among them.
    pub(super) fn oldest(&mut self) -> Option<LifeKey> {
        self.found.pop()
    }
}
