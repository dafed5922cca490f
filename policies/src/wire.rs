//! The contract between the reconciler and the filter: all that passes between them.
//!
//! - [`poll`]: the request: path, headers, limits.
//! - [`PluginNames`]: the plugins of a proxy, as a request names them.
//! - [`FaultReport`]: what the policies did in a proxy, as a request carries it.
//! - [`Format`]: the formats of a snapshot, and which one a client gets.
//! - [`Snapshot`]: the policies in force for one [`Scope`], and their bytes in each format.
//! - [`Digest`]: the address of those bytes. Another format is other bytes, and so another digest and
//!   another `ETag`.
//!
//! The server: [`poll::scope`] of the query, [`Format::negotiate`] of `Accept` (`None` is 406),
//! [`Snapshot::encode`], and [`Format::media_type`] as `Content-Type`. The filter: [`poll::target`],
//! [`poll::ACCEPT`], and [`Snapshot::decode`], which reads every format that this build knows.

mod automata;
mod bytes;
mod counts;
mod digest;
mod encoding;
mod error;
mod format;
mod parts;
mod plugins;
mod policy;
pub mod poll;
mod report;
mod scope;
mod short_set;
mod snapshot;
mod v1;
mod v2;

pub use counts::{Count, FaultCounts};
pub use digest::Digest;
pub use error::SnapshotError;
pub use format::Format;
pub use plugins::{PluginName, PluginNames};
pub use report::{CountedName, Epoch, FaultReport, FaultRow, MAX_REPORT_BYTES, OTHER};
pub use scope::{Scope, ScopeError};
pub use snapshot::{Schedule, Snapshot, SnapshotEntry};
