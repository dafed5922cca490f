//! Limits of the compiler, so that no regex takes it long, or much memory.

use std::fmt;

/// The most parts of a regex with its repetitions written out, and the most states before equal ones are
/// merged.
pub(super) const MAX_STATES: usize = 20_000;

/// The most cells of a table before equal states are merged.
pub(super) const MAX_RAW_CELLS: usize = 512 * 1024;

/// The most steps of a compilation.
pub(super) const MAX_STEPS: usize = 5_000_000;

/// The limit that a regex exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    Parts,
    States,
    Cells,
    Steps,
}

/// The steps that are left.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) fn new(steps: usize) -> Self {
        Self { left: steps }
    }

    /// Takes so many steps.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Excess> {
        self.left = self.left.checked_sub(steps).ok_or(Excess::Steps)?;
        Ok(())
    }

    pub(super) fn left(&self) -> usize {
        self.left
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parts => write!(f, "its repetitions written out have more than {MAX_STATES} parts"),
            Self::States => write!(f, "its automaton has more than {MAX_STATES} states"),
            Self::Cells => f.write_str("the table of its automaton is larger than 128 KiB"),
            Self::Steps => write!(f, "to compile it takes more than {MAX_STEPS} steps"),
        }
    }
}
