//! Evaluates policies: a snapshot compiled for one workload, and what it decides about a request.

mod decision;
mod dice;
mod facts;
mod index;
mod inquiry;
mod peer;
mod program;
mod query;
mod radix;
mod rule;
mod test;

pub use decision::Decision;
pub use dice::{Always, Dice};
pub use facts::{Facts, Given};
pub use program::{Program, ProgramError, Verdict};
pub use rule::Mismatch;
