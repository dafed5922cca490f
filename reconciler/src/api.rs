//! The JSON of the HTTP interface, a file for each resource: what the server writes and what its clients
//! read, `hfi doctor` among them.
//!
//! - [`status`]: `GET /v1/policies/status`, with its parts [`counts`], [`kubernetes`], [`policy_status`],
//!   [`finding`] and [`first_generation`].
//! - [`policies`], [`filters`], [`events`], [`ready`], [`health`], [`hooks`]: the other resources.
//! - [`measured`]: counts that proxies report, of a policy or of a filter.
//! - [`writes`]: changes of policies, and their history; [`halts`]: everything stops.
//! - [`overview`]: all of it on one screen.
//! - [`peers`]: what replicas tell each other.
//! - [`problem`] documents: errors.
//! - [`time`]: how a time is written.
//!
//! Fields are in alphabetical order, as they are in the JSON; those of the first generation come last. Readers ignore fields that they do not know
//! and read names that they do not know as `Unknown`, so that a client may be older than its server.

mod bounded;
pub mod counts;
pub mod events;
pub mod filters;
pub mod finding;
pub mod first_generation;
pub mod halts;
pub mod health;
pub mod hooks;
pub mod kubernetes;
pub mod measured;
pub mod overview;
pub mod peer_halts;
pub mod peers;
pub mod policies;
pub mod policy_status;
pub mod problem;
pub mod ready;
pub mod status;
pub mod time;
pub mod writes;

#[cfg(test)]
mod tests;
