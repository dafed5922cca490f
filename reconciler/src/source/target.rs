//! The followed part of a repository: a branch, a tag, or one commit.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A branch, a tag, or one commit, with a valid name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    Branch(RefName),
    Tag(RefName),
    Commit(CommitId),
}

/// A name that is valid after `refs/heads/` or `refs/tags/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefName(String);

/// The full id of a commit, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitId(String);

/// The reason why a text is no valid name or commit id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error("is not a name that Git takes")]
    Name,
    #[error("is not the full id of a commit: 40 hexadecimal digits")]
    Commit,
}

impl Target {
    /// The ref that must exist. A commit needs none.
    pub fn reference(&self) -> Option<String> {
        match self {
            Self::Branch(name) => Some(format!("refs/heads/{}", name.0)),
            Self::Tag(name) => Some(format!("refs/tags/{}", name.0)),
            Self::Commit(_) => None,
        }
    }

    /// The part of a revision before the commit id.
    pub fn label(&self) -> &str {
        match self {
            Self::Branch(name) | Self::Tag(name) => &name.0,
            Self::Commit(_) => "commit",
        }
    }
}

impl FromStr for RefName {
    type Err = TargetError;

    /// Checks the name by the rules of git-check-ref-format, except its rarer ones: no ref has such a name anyway.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let odd = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
        if text.is_empty() || text.contains(odd) || text.contains("..") || text.starts_with('-') {
            return Err(TargetError::Name);
        }
        Ok(Self(text.to_owned()))
    }
}

impl RefName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CommitId {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(TargetError::Commit)
        }
    }
}

impl CommitId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branch(name) => write!(f, "branch `{}`", name.0),
            Self::Tag(name) => write!(f, "tag `{}`", name.0),
            Self::Commit(id) => write!(f, "commit {}", id.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CommitId, RefName, TargetError};

    #[test]
    fn a_commit_is_named_in_full() {
        let full = "0123456789ABCDEF0123456789abcdef01234567";
        assert_eq!(full.parse::<CommitId>().unwrap().as_str(), full.to_ascii_lowercase());
        for bad in ["", "main", "0123456", &full[1..], "g123456789abcdef0123456789abcdef01234567"] {
            assert_eq!(bad.parse::<CommitId>(), Err(TargetError::Commit));
        }
    }

    #[test]
    fn a_name_that_git_does_not_take_is_refused() {
        for bad in ["", "a b", "a..b", "-a", "a:b", "refs/*", "a\n"] {
            assert_eq!(bad.parse::<RefName>(), Err(TargetError::Name));
        }
        assert!("release/1.2".parse::<RefName>().is_ok());
    }
}
