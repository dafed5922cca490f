//! Who may write: the token file with its rights, and the limits on those who try.
//!
//! - [`token_file`]: the file of `--write-token-file`, read anew when it changes; `entry`: a line of it.
//! - [`rights`]: what the owner of a token may do.
//! - [`buckets`]: limits on how often somebody may do something; [`failures`]: limits on tokens that fail, by address.
//! - [`claims`]: what a token of a ServiceAccount says of itself; [`reviews`]: those that the API server has reviewed.

pub mod buckets;
pub mod claims;
mod entry;
pub mod failures;
pub mod reviews;
pub mod rights;
pub mod token_file;

/// The audience of the tokens of ServiceAccounts.
pub const AUDIENCE: &str = "hfi";
