//! Elects the replica that writes to the cluster.
//!
//! - `candidate`: the rules of the election, as a pure state machine.
//! - `lease`: the Lease that it is held by.

pub(crate) mod candidate;
pub(crate) mod lease;
