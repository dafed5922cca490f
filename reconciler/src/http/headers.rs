//! The headers of polls and of their answers.

use axum::http::HeaderName;
use policies::wire::poll;

use crate::api;

/// The header that says which commit an answer was made of.
pub(crate) const REVISION: HeaderName = HeaderName::from_static(poll::REVISION);
/// The header that says in which directory a policy stood.
pub(crate) const FOLDER: HeaderName = HeaderName::from_static(api::policies::FOLDER);
/// The longest that a request could have been held (RFC 7240).
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// The request header by which the format is chosen.
pub(crate) const VARY: &str = "accept";
/// All request headers that are read of a poll.
pub(crate) const READ: [&str; 7] =
    ["accept", "if-none-match", poll::PREFER, poll::NODE, poll::PLUGINS, poll::FAULTS, poll::REVISION];
