//! The garbage of programs in Go.

/// A variable by which memory that is no longer used is collected when there is four times as much of it as of what is
/// used, and not once. A fifth of the API server's time went into that.
pub(crate) const GARBAGE: (&str, &str) = ("GOGC", "400");
