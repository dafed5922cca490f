//! Patterns of host names.

use std::fmt;

use super::glob::Glob;

/// A pattern of the names of hosts outside the mesh, such as `api.partner.example` or `*.partner.example`.
/// It is in lower case because names ignore case, and has no port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host(Glob);

/// The error of a text that is not a pattern of host names.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not a host name or glob: letters, digits, `-`, `.`, and `*` for any run of characters, without scheme, port and path"
)]
pub struct HostError(String);

impl Host {
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The one name that fits, if only one does.
    pub(crate) fn exact(&self) -> Option<&str> {
        self.0.exact()
    }

    /// True if the name of a host, in lower case, fits as a whole.
    pub(crate) fn matches(&self, name: &str) -> bool {
        self.0.matches(name)
    }

    /// True if it matches every name that `other` does.
    #[cfg(feature = "authoring")]
    pub(crate) fn includes(&self, other: &Self) -> bool {
        self.0.includes(&other.0)
    }
}

impl TryFrom<String> for Host {
    type Error = HostError;

    fn try_from(text: String) -> Result<Self, HostError> {
        let name = text.strip_suffix('.').unwrap_or(&text).to_ascii_lowercase();
        // As a glob it would be everything.
        let name = if name.is_empty() { None } else { Glob::try_from(name).ok() };
        name.map(Self).ok_or(HostError(text))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Host;

    fn host(text: &str) -> Result<String, String> {
        Host::try_from(text.to_owned()).map(|host| host.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn names_ignore_case_and_a_final_dot() {
        for (written, name) in [
            ("api.partner.example", "api.partner.example"),
            ("API.Partner.example.", "api.partner.example"),
            ("*.partner.example", "*.partner.example"),
            ("localhost", "localhost"),
            ("a", "a"),
            ("*", "*"),
        ] {
            assert_eq!(host(written), Ok(name.to_owned()), "{written}");
        }
    }

    #[test]
    fn what_is_no_host_name_is_refused() {
        for bad in ["", ".", "api.example:443", "https://api.example", "api.example/v1", "a b", "[::1]", "ä"]
        {
            assert!(host(bad).is_err_and(|error| error.contains("without scheme, port and path")), "{bad}");
        }
    }
}
