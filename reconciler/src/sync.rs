//! Keeps the served policies equal to the source.
//!
//! - [`reconciler`]: the loop, the only writer of what is published.
//! - [`halt_file`]: halts while a file exists.
//! - [`loader`]: from a checkout to a catalog.
//! - [`requests`]: requests for a sync.
//! - [`history`]: the results of the syncs so far.
//! - `schedule`: the time of the next read without another cause; `cause`: the causes.
//! - [`signature_watch`]: withdraws a commit whose signer is no longer trusted.

mod cause;
pub mod halt_file;
pub mod history;
pub mod loader;
pub mod reconciler;
pub mod requests;
mod schedule;
pub mod signature_watch;
