//! Evaluates policies: a snapshot compiled for one workload, and what it decides about a request.

mod compiled_matcher;
mod decision;
mod dice;
mod facts;
mod index;
mod program;
mod query;
mod radix;
mod request_view;
mod rule;
mod workload_ref;

pub use decision::Decision;
pub use dice::{AlwaysHit, Dice};
pub use facts::{Facts, StaticRequest};
pub use program::{Program, ProgramError, Verdict};
pub use rule::Mismatch;
