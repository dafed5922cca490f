//! The version of this build.

use std::sync::LazyLock;

/// The version of the crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that this was built from: `HFI_COMMIT` at compile time, which `scripts/build` sets.
pub fn commit() -> Option<&'static str> {
    option_env!("HFI_COMMIT").filter(|commit| !commit.is_empty())
}

/// The version and the commit, such as `0.1.0 (commit abc1234)`.
pub fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| describe(commit()));
    &TEXT
}

fn describe(commit: Option<&str>) -> String {
    match commit {
        Some(commit) => format!("{VERSION} (commit {})", commit.get(..7).unwrap_or(commit)),
        None => VERSION.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{VERSION, describe};

    #[test]
    fn a_commit_is_shown_by_its_first_seven_digits() {
        assert_eq!(describe(None), VERSION);
        let commit = Some("0123456789abcdef0123456789abcdef01234567");
        assert_eq!(describe(commit), format!("{VERSION} (commit 0123456)"));
        assert_eq!(describe(Some("0123")), format!("{VERSION} (commit 0123)"));
    }
}
