//! Names that Kubernetes and HTTP give rules for.

use std::{fmt, sync::Arc};

/// A policy's name: an RFC 1123 label (1 to 63 of `a-z`, `0-9`, `-`, not `-` at either end).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyName(Arc<str>);

/// A header field's name (RFC 9110, section 5.1), in lower case because names ignore case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderName(String);

/// A header field's value (RFC 9110, section 5.5): visible ASCII, spaces and tabs within.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderValue(String);

/// The error of a text that is not such a name.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    #[error(
        "`{0}` is not an RFC 1123 label: 1 to 63 lower-case letters, digits and `-`, beginning and ending with a letter or digit"
    )]
    Policy(String),
    #[error("`{0}` is not a header name: letters, digits and any of !#$%&'*+-.^_`|~")]
    Header(String),
    #[error("`{0}` is a pseudo-header{instead}", instead = instead_of(.0))]
    PseudoHeader(String),
    #[error("`{0}` is not a header value: visible ASCII characters, with spaces and tabs only between them")]
    Value(String),
}

/// The condition that a pseudo-header stands for.
fn instead_of(pseudo_header: &str) -> &'static str {
    match pseudo_header {
        ":authority" => "; match the header `host` instead",
        ":method" => "; match `method` instead",
        ":path" => "; match `path` instead",
        _ => ", which no condition can name",
    }
}

impl PolicyName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl HeaderName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl HeaderValue {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// True if `text` is an RFC 1123 label.
pub(crate) fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| inner(b) || b == b'-')
        && text.bytes().next().is_some_and(inner)
        && text.bytes().next_back().is_some_and(inner)
}

impl TryFrom<String> for PolicyName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        if is_label(&text) { Ok(Self(text.into())) } else { Err(NameError::Policy(text)) }
    }
}

impl TryFrom<String> for HeaderName {
    type Error = NameError;

    fn try_from(mut text: String) -> Result<Self, NameError> {
        if text.starts_with(':') {
            return Err(NameError::PseudoHeader(text));
        }
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if text.is_empty() || !text.bytes().all(token) {
            return Err(NameError::Header(text));
        }
        text.make_ascii_lowercase();
        Ok(Self(text))
    }
}

impl TryFrom<String> for HeaderValue {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        let fits = |b: u8| matches!(b, b' ' | b'\t' | 0x21..=0x7e);
        let trimmed = text.trim_matches([' ', '\t']).len() == text.len();
        if trimmed && text.bytes().all(fits) { Ok(Self(text)) } else { Err(NameError::Value(text)) }
    }
}

impl From<HeaderValue> for String {
    fn from(value: HeaderValue) -> Self {
        value.0
    }
}

impl From<PolicyName> for String {
    fn from(name: PolicyName) -> Self {
        name.as_str().to_owned()
    }
}

impl From<HeaderName> for String {
    fn from(name: HeaderName) -> Self {
        name.0
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{HeaderName, PolicyName};

    #[test]
    fn a_policy_name_is_an_rfc_1123_label() {
        for good in ["a", "checkout-errors", "0a", &"x".repeat(63)] {
            assert!(PolicyName::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a.b", "ä", &"x".repeat(64)] {
            assert!(PolicyName::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_header_name_ignores_case_and_is_no_pseudo_header() {
        assert_eq!(HeaderName::try_from("X-User".to_owned()).unwrap().as_str(), "x-user");
        for bad in ["", ":path", "a b", "a:", "ä"] {
            assert!(HeaderName::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
