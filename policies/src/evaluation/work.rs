//! The work of matching that one request may cause, whatever its sender puts into it and however many rules
//! there are.

use std::cell::Cell;

/// The most bytes of a request that are matched, over all rules: about 5 ms.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;

/// The cost of a condition, besides the bytes that it reads.
const CONDITION: usize = 16;

/// The cost of a rule that the index finds.
const FILED: usize = 8;

/// The work that is left for a request.
#[derive(Debug)]
pub(crate) struct Work {
    left: Cell<usize>,
}

impl Work {
    pub(crate) fn new() -> Self {
        Self { left: Cell::new(MAX_BYTES) }
    }

    /// True if all work is spent, so that nothing more can be known of the request.
    pub(crate) fn is_spent(&self) -> bool {
        self.left.get() == 0
    }

    /// Counts one condition, on a value of the request, its destination or its source.
    pub(crate) fn count_condition(&self) {
        self.count_bytes(CONDITION);
    }

    /// Counts rules that the index has found.
    pub(crate) fn count_filed(&self, rules: usize) {
        self.count_bytes(rules.saturating_mul(FILED));
    }

    /// Counts bytes that have been read.
    pub(crate) fn count_bytes(&self, bytes: usize) {
        self.left.set(self.left.get().saturating_sub(bytes));
    }
}
