//! The filters that poll this replica.

pub mod filters;
