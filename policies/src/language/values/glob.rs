//! Globs over names: only `*` is special, and it stands for any run of characters.

use std::fmt;

/// A pattern of a selector. `*` alone selects everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob(String);

/// The error of a text that is not a selector pattern.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not a name or glob: lower-case letters, digits, `-`, `.`, and `*` for any run of characters"
)]
pub struct GlobError(String);

impl Glob {
    /// The pattern that selects everything.
    pub fn any() -> Self {
        Self("*".to_owned())
    }

    /// True if it selects everything, also a workload whose name is not known.
    pub fn is_any(&self) -> bool {
        self.0 == "*"
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one name that fits, if only one does.
    pub fn exact(&self) -> Option<&str> {
        if self.0.contains('*') { None } else { Some(&self.0) }
    }

    /// True if `name` as a whole fits the pattern.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            // The leftmost fit leaves the most for what follows, so no backtracking is needed.
            let Some(at) = position(rest, part) else { return false };
            rest = rest.get(at + part.len()..).unwrap_or_default();
        }
        rest.ends_with(last)
    }
}

/// Where a part begins in a name, if it is there. The search of the standard library is made for long texts, and would
/// be a hundredth of the module that every proxy loads.
fn position(name: &str, part: &str) -> Option<usize> {
    let (name, part) = (name.as_bytes(), part.as_bytes());
    (0..=name.len()).find(|at| name.get(*at..).is_some_and(|rest| rest.starts_with(part)))
}

impl Glob {
    /// True if it matches every name that `other` does. A `*` of the other one stands for anything,
    /// so only a `*` of this one can match it.
    pub fn includes(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl TryFrom<String> for Glob {
    type Error = GlobError;

    fn try_from(mut text: String) -> Result<Self, GlobError> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.*".contains(&b);
        // Two stars mean what one does; so that equal patterns are equal texts, one is kept.
        let mut is_star = false;
        text.retain(|c| !std::mem::replace(&mut is_star, c == '*') || c != '*');
        match text.as_str() {
            "" => Ok(Self::any()),
            _ if text.len() <= 253 && text.bytes().all(fits) => Ok(Self(text)),
            _ => Err(GlobError(text)),
        }
    }
}

impl From<Glob> for String {
    fn from(glob: Glob) -> Self {
        glob.0
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    fn glob(text: &str) -> Glob {
        Glob::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_glob_matches_whole_names() {
        for (pattern, name) in [
            ("*", ""),
            ("", "any"),
            ("a", "a"),
            ("a*", "a"),
            ("*-web", "shop-web"),
            ("a*b*c", "a-b-b-c"),
            ("a**c", "abc"),
        ] {
            assert!(glob(pattern).matches(name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("a", "ab"), ("a", ""), ("a*", "ba"), ("*a", "ab"), ("a*a", "a"), ("a*b*c", "acb")]
        {
            assert!(!glob(pattern).matches(name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_glob_includes_what_is_narrower() {
        for (wide, narrow) in [("*", "a*b"), ("a*", "ab*"), ("a*", "a*"), ("*-web", "shop-*-web")] {
            assert!(glob(wide).includes(&glob(narrow)), "{wide} {narrow}");
        }
        for (one, other) in [("a*", "*"), ("ab*", "a*"), ("a", "a*"), ("*a", "*ab")] {
            assert!(!glob(one).includes(&glob(other)), "{one} {other}");
        }
    }

    #[test]
    fn stars_in_a_row_are_one() {
        assert!(glob("***").is_any() && glob("a**b") == glob("a*b"));
    }

    #[test]
    fn what_can_be_no_name_is_refused() {
        for bad in ["Checkout", "a b", "a_b", "a?", "{a,b}"] {
            assert!(Glob::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
