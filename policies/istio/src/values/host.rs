//! The names of hosts, as Istio takes them.

use std::fmt;

/// The longest name of a host.
const MAX_LENGTH: usize = 255;

/// A name of a host: labels in lower case with dots between them. The first may be `*`, or begin with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(String);

/// The error of a text that is not the name of a host.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    #[error("is empty; write the name of a host")]
    Empty,
    #[error("is longer than {MAX_LENGTH} characters")]
    TooLong,
    #[error("`{0}` has upper case, which never matches; write `{lower}`", lower = .0.to_ascii_lowercase())]
    UpperCase(String),
    #[error("`{0}` has a `*` that is not at the beginning; write it there, as in `*.example.com`")]
    Wildcard(String),
    #[error("`{0}` ends with digits alone, so it is neither a name nor an address")]
    Digits(String),
    #[error(
        "`{0}` is not the name of a host: lower-case letters, digits and `-` with dots between them, without scheme, port and path"
    )]
    Form(String),
}

impl Host {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for `*` and for what begins with it.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with('*')
    }

    /// True if it has a dot: Istio takes a name without for a service of the same namespace.
    pub fn is_full(&self) -> bool {
        self.0.contains('.') || self.is_wildcard()
    }
}

impl TryFrom<&str> for Host {
    type Error = HostError;

    fn try_from(text: &str) -> Result<Self, HostError> {
        let named = || text.to_owned();
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        if text.len() > MAX_LENGTH {
            return Err(HostError::TooLong);
        }
        if text.contains(|c: char| c.is_ascii_uppercase()) {
            return Err(HostError::UpperCase(named()));
        }
        let plain = text.strip_prefix('*').unwrap_or(text);
        if plain.contains('*') {
            return Err(HostError::Wildcard(named()));
        }
        let last = text.rsplit('.').next().unwrap_or_default();
        if last.bytes().all(|byte| byte.is_ascii_digit()) && !last.is_empty() {
            return Err(HostError::Digits(named()));
        }
        let mut labels = text.split('.');
        let first = labels.next().unwrap_or_default();
        let is_first = match first.strip_prefix('*') {
            Some(rest) => rest.is_empty() || is_part(rest.strip_prefix('-').unwrap_or(rest)),
            None => is_part(first),
        };
        if is_first && labels.all(is_part) { Ok(Self(named())) } else { Err(HostError::Form(named())) }
    }
}

/// True for a label of a name.
fn is_part(text: &str) -> bool {
    super::Label::try_from(text.to_owned()).is_ok()
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Host, HostError};

    #[test]
    fn a_host_is_labels_with_dots() {
        for good in ["reviews", "reviews.shop", "a.example.com", "*", "*.example.com", "*-eu.example.com"] {
            assert_eq!(Host::try_from(good).map(|host| host.to_string()), Ok(good.to_owned()));
        }
    }

    #[test]
    fn what_is_no_host_says_what_would_be_one() {
        for (bad, part) in [
            ("", "is empty"),
            ("Shop.example.com", "write `shop.example.com`"),
            ("api.*.example.com", "not at the beginning"),
            ("**.example.com", "not at the beginning"),
            ("my_service.shop", "lower-case letters"),
            ("https://a.example", "without scheme"),
            ("a.example:443", "without scheme"),
            ("a..b", "lower-case letters"),
            ("a.b.", "lower-case letters"),
            ("db.12", "digits alone"),
            ("10.0.0.1", "digits alone"),
            (&"a.".repeat(200), "longer than"),
            (&"a".repeat(64), "lower-case letters"),
        ] {
            let error = Host::try_from(bad).map_err(|error: HostError| error.to_string());
            assert!(error.as_ref().is_err_and(|error| error.contains(part)), "{bad}: {error:?}");
        }
    }
}
