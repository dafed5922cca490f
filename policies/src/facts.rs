//! What a program may ask about a request.

use std::borrow::Cow;

use crate::time::Timestamp;

/// One request, as far as policies look at it.
///
/// Each fact is asked for only when a rule needs it, because in a proxy each one is a call into the
/// host. A fact that is not there matches no matcher.
pub trait Facts {
    /// What time it is.
    fn now(&self) -> Timestamp;

    /// The request method, such as `GET`.
    fn method(&self) -> Option<Cow<'_, [u8]>>;

    /// The path without the query string.
    fn path(&self) -> Option<Cow<'_, [u8]>>;

    /// The value of the header field `name` (lower case).
    fn header(&self, name: &str) -> Option<Cow<'_, [u8]>>;
}
