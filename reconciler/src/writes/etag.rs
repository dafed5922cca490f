//! The entity tag of a policy, and conditions on it (RFC 9110, section 13).

use policies::{Digest, editing::Document};

/// A condition on the policy as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    #[default]
    Always,
    /// `If-Match: *`: it exists.
    Exists,
    /// `If-Match`: it has one of these tags.
    Matches(Vec<String>),
    /// `If-None-Match: *`: it does not exist.
    Absent,
}

impl Condition {
    /// The reason why the condition does not hold for a policy; it is present if `etag` is.
    pub(super) fn breach(&self, name: &str, is_present: bool, etag: Option<&str>) -> Option<String> {
        match self {
            Self::Always => None,
            Self::Exists => (!is_present).then(|| format!("there is no policy `{name}` (If-Match: *)")),
            Self::Absent => {
                is_present.then(|| format!("there is a policy `{name}` already (If-None-Match: *)"))
            }
            Self::Matches(tags) => match etag {
                Some(etag) if tags.iter().any(|tag| tag == etag) => None,
                Some(_) => Some(format!("the policy `{name}` is no longer as it was (If-Match)")),
                None if is_present => Some(format!("the policy `{name}` is not valid now (If-Match)")),
                None => Some(format!("there is no policy `{name}` (If-Match)")),
            },
        }
    }
}

/// The entity tag of a policy: of its JSON as it was written.
pub(super) fn of_document(document: &Document) -> String {
    Digest::of(document.to_json().as_bytes()).etag()
}
