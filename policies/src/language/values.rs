//! The values that policies are made of.

mod glob;
mod name;
mod pattern;
mod percentage;
mod regex;
mod time;

pub use glob::{Glob, GlobError};
pub(crate) use name::is_label;
pub use name::{HeaderName, HeaderValue, NameError, PolicyName};
pub use pattern::{Pattern, PatternError};
pub use percentage::{Percentage, PercentageError};
pub(crate) use regex::Regex;
#[cfg(feature = "authoring")]
pub(crate) use regex::SIZE_LIMIT;
pub use time::{Timestamp, TimestampError};
