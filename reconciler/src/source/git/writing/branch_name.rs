//! The name of a branch that is made for a change.

use git2::{Branch, Reference};

use crate::source::target::RefName;

/// The longest name, in bytes: each part of it is the name of a file in many repositories.
const LONGEST: usize = 200;

/// A name that Git takes, and not that of the branch that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchName(String);

impl BranchName {
    /// The name; the error completes a sentence whose subject is the name.
    pub fn new(name: &str, served: &RefName) -> Result<Self, String> {
        let reference = format!("refs/heads/{name}");
        let is_valid = Branch::name_is_valid(name).unwrap_or(false) && Reference::is_valid_name(&reference);
        if !is_valid || name.len() > LONGEST || name.starts_with('-') || !name.bytes().all(is_plain) {
            return Err("is not a name that Git takes for a branch".to_owned());
        }
        // Some filesystems do not tell cases apart, and nothing is both a branch and a directory of branches.
        let (new, old) = (name.to_ascii_lowercase() + "/", served.as_str().to_ascii_lowercase() + "/");
        if new.starts_with(&old) || old.starts_with(&new) {
            return Err(format!(
                "is, or stands in the way of, the branch `{}` that is served",
                served.as_str()
            ));
        }
        Ok(Self(name.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn reference(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::BranchName;

    #[test]
    fn only_another_branch_than_the_served_one_is_named() {
        let served = "release/main".parse().unwrap();
        for good in ["hfi/alice/checkout-1a2b", "main", "release/main2"] {
            assert_eq!(BranchName::new(good, &served).unwrap().as_str(), good);
        }
        for clash in ["release/main", "Release/MAIN", "release/main/x", "release"] {
            let error = BranchName::new(clash, &served).unwrap_err();
            assert!(error.contains("`release/main`"), "{clash}: {error}");
        }
    }

    #[test]
    fn a_name_that_git_does_not_take_is_refused() {
        let served = "main".parse().unwrap();
        for bad in [
            "", "-x", "a..b", "a.lock", "a/.b", "a//b", "/a", "a/", "a b", "a~1", "a^", "a:b", "a?", "a*",
            "a[", "a\\b", "@{x", "HEAD", "a.", "a@{b", "é", "a\u{7f}",
        ] {
            assert!(BranchName::new(bad, &served).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_name_that_is_accepted_is_one_for_git(name in "[a-zA-Z0-9._/@{~^:-]{1,20}") {
            if BranchName::new(&name, &"main".parse().unwrap()).is_ok() {
                let check = ["check-ref-format", "--branch", &name];
                let status = std::process::Command::new("git").args(check).output().unwrap().status;
                prop_assert!(status.success(), "{}", name);
            }
        }
    }
}
