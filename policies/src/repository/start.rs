//! The start of durations. It was dated by a foreign clock, which must not lengthen a fault.

use crate::language::Timestamp;

/// The time by which a foreign clock may be ahead of ours, in milliseconds. What is dated later is out of force until
/// then: nobody knows when it began.
const MAX_AHEAD_MILLIS: u64 = 5 * 60 * 1_000;

/// The time when a document got its present content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The time from which durations count.
    pub at: Timestamp,
    /// The date of the commit or file. It is later than `at` where a later commit is dated earlier.
    pub dated: Timestamp,
}

impl From<Timestamp> for Start {
    fn from(dated: Timestamp) -> Self {
        Self { at: dated, dated }
    }
}

impl Start {
    /// The same start where the content was there at `known` already.
    pub fn known_at(self, known: Timestamp) -> Self {
        Self { at: self.at.min(known), ..self }
    }
}

/// The first instant at which a date of a foreign clock is believed.
pub(super) fn believed_from(date: Timestamp) -> Timestamp {
    Timestamp::from_millis(date.as_millis().saturating_sub(MAX_AHEAD_MILLIS))
}
