//! The names of objects.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::{resource::Kind, written::Entry};

/// The longest name: that of a label, since labels and DNS have it too.
const MAX: usize = 63;

/// The part of a longer name that is kept.
const KEPT: usize = 54;

/// The name of an object: `<app>[-<entry>]-<kind>[-<part>]`, unless its entry has the whole name.
pub(super) fn of(
    entry: &Entry,
    kind: Kind,
    suffix: Option<&str>,
    is_beside: bool,
    application: &str,
) -> String {
    let whole = match (&entry.resource_name, suffix) {
        (Some(name), _) if !is_beside => return name.to_string(),
        (Some(name), suffix) => joined([Some(name.as_str()), suffix]),
        (None, suffix) => {
            let name = entry.name.as_ref().map(|name| name.as_str());
            joined([Some(application), name, Some(kind.in_kebab_case()), suffix])
        }
    };
    shortened(whole)
}

fn joined<const N: usize>(parts: [Option<&str>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join("-")
}

/// The same text, or, if it is longer than a label may be, its beginning and a part of its SHA-256.
pub(super) fn shortened(name: String) -> String {
    if name.len() <= MAX {
        return name;
    }
    let kept: String = name.chars().take(KEPT).collect();
    let mut short = format!("{}-", kept.trim_end_matches('-'));
    for byte in Sha256::digest(&name).iter().take(4) {
        // Writing to a string cannot fail.
        let _ = write!(short, "{byte:02x}");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_long_name_keeps_its_beginning_and_is_told_apart_by_a_hash() {
        assert_eq!(shortened("a".repeat(63)), "a".repeat(63));
        // printf %064d 0 | tr 0 a | sha256sum
        assert_eq!(shortened("a".repeat(64)), format!("{}-ffe054fe", "a".repeat(54)));
        let with_dash = format!("{}-{}", "a".repeat(53), "b".repeat(20));
        let short = shortened(with_dash);
        assert!(short.starts_with(&format!("{}-", "a".repeat(53))) && short.len() == 62, "{short}");
    }
}
