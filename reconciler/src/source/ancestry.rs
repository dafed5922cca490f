//! The order of two revisions, as far as a clone can tell.

use std::{collections::HashSet, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// The part of a revision before the id of its commit.
const COMMIT: &str = "@sha1:";

/// The revision that was checked out and those that are known to come before it.
#[derive(Clone, Debug, Default)]
pub struct Ancestry {
    /// Absent for a directory, whose revisions have no order.
    commits: Option<Arc<HashSet<CommitId>>>,
}

/// The id of a commit. As a text it has 40 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CommitId(pub [u8; 20]);

impl Ancestry {
    pub fn of(commits: HashSet<CommitId>) -> Self {
        Self { commits: Some(Arc::new(commits)) }
    }

    /// The commits, where there are any.
    pub fn commits(&self) -> Option<&HashSet<CommitId>> {
        self.commits.as_deref()
    }

    /// True if a client that runs `revision` may have seen more of the branch than was checked out here. A text that is
    /// not the revision of a commit has no order, and is never ahead.
    pub fn is_behind(&self, revision: &str) -> bool {
        self.commits.is_some() && self.lacks(revision)
    }

    /// True if `revision` names a commit that is not known here, as none is where nothing or a directory was read.
    pub fn lacks(&self, revision: &str) -> bool {
        let is_known = |commit| self.commits().is_some_and(|known| known.contains(&commit));
        CommitId::of_revision(revision).is_some_and(|commit| !is_known(commit))
    }
}

impl CommitId {
    /// The commit that a revision names, such as `main@sha1:<commit>`.
    pub fn of_revision(revision: &str) -> Option<Self> {
        revision.rsplit_once(COMMIT).and_then(|(_, hex)| Self::from_hex(hex))
    }

    /// Reads exactly 40 hexadecimal digits.
    pub fn from_hex(hex: &str) -> Option<Self> {
        if hex.len() != 40 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut id = [0; 20];
        for (byte, pair) in id.iter_mut().zip(hex.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(id))
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommitId({self})")
    }
}

impl From<CommitId> for String {
    fn from(id: CommitId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for CommitId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::from_hex(&text).ok_or("is not the id of a commit")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Ancestry, CommitId};

    #[test]
    fn only_a_commit_that_is_unknown_is_ahead() {
        let known = Ancestry::of([CommitId([0xab; 20])].into());
        assert!(!known.is_behind(&format!("main@sha1:{}", "ab".repeat(20))));
        assert!(!known.is_behind(&format!("other@sha1:{}", "AB".repeat(20))), "a commit is what counts");
        let ahead = format!("main@sha1:{}", "cd".repeat(20));
        assert!(known.is_behind(&ahead));
        assert!(!Ancestry::default().is_behind(&ahead), "a folder has no order");
        assert!(known.lacks(&ahead) && Ancestry::default().lacks(&ahead), "and knows no commit");
        let digest = "ab".repeat(32);
        for malformed in
            ["", "main", "main@sha1:", "main@sha1:cdcd", &digest, &format!("dir@sha256:{digest}")]
        {
            assert!(!known.is_behind(malformed) && !known.lacks(malformed), "{malformed}");
        }
        assert!(!known.is_behind(&format!("main@sha1:+{}", "c".repeat(39))));
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic(value in "([a-z]*@sha1:)?\\PC{0,44}") {
            Ancestry::of([].into()).is_behind(&value);
        }
    }
}
