//! The filters that poll.
//!
//! - [`filters`]: those that poll this replica; [`faults`]: the requests that they report.
//! - [`unreported`]: the clients that do not say what they run.
//! - [`sighting`]: the last poll of a filter; [`shared`]: those that the other replicas know.
//! - [`gathered`]: those that all replicas hear together.
//! - [`workloads`]: the workloads that they run policies for.

pub mod faults;
pub mod filters;
pub mod gathered;
pub mod shared;
pub mod sighting;
pub mod unreported;
pub mod workloads;
