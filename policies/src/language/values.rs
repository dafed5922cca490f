//! The values that policies are made of.

mod cluster_domain;
mod glob;
mod host;
#[cfg(feature = "authoring")]
mod lazy_size;
mod name;
mod pattern;
mod percentage;
#[cfg(feature = "authoring")]
mod regex_source;
mod time;

pub use cluster_domain::{ClusterDomain, ClusterDomainError};
pub use glob::{Glob, GlobError};
pub use host::{Host, HostError};
pub(crate) use name::is_label;
pub use name::{HeaderName, HeaderValue, NameError, PolicyName};
pub use pattern::Pattern;
#[cfg(feature = "authoring")]
pub use pattern::PatternError;
pub use percentage::{Percentage, PercentageError};
pub use time::{Timestamp, TimestampError};
