//! The filters that poll.
//!
//! - [`filters`]: those that poll this replica.
//! - [`gathered`]: those that all replicas hear together.
//! - [`workloads`]: the workloads that they run policies for.

pub mod filters;
pub mod gathered;
pub mod workloads;
