//! The rights of the owner of a token.

use policies::language::Glob;

/// A name in the token file: 1 to 63 of `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

/// What the owner of a token may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    pub user: UserName,
    /// The directory below the policy directory in which files may be touched; absent: all of it.
    pub directory: Option<String>,
    /// The namespaces that selectors must stay within; absent: all.
    pub namespaces: Option<Vec<Glob>>,
    /// The kinds of documents that may be written.
    pub kinds: Vec<String>,
    /// The namespace of a new policy without a selector.
    pub default_namespace: Option<String>,
    /// True if a new policy may select everything.
    pub wildcard: bool,
    /// True if what was stopped may be resumed.
    pub resume: bool,
}

impl UserName {
    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_name = !text.is_empty() && text.len() <= 63 && text.bytes().all(fits);
        is_name.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Rights {
    /// The rights of a user without any limit that the file can set, and without any extra right.
    pub fn of(user: UserName) -> Self {
        Self {
            user,
            directory: None,
            namespaces: None,
            kinds: vec!["FaultPolicy".to_owned()],
            default_namespace: None,
            wildcard: false,
            resume: false,
        }
    }

    /// True if a file at this path, relative to the policy directory, may be touched.
    pub fn reach(&self, path: &str) -> bool {
        self.directory
            .as_ref()
            .is_none_or(|directory| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/')))
    }

    /// True if a selector with this namespace may be written, or replaced.
    pub fn cover(&self, namespace: &Glob) -> bool {
        self.namespaces.as_ref().is_none_or(|allowed| allowed.iter().any(|wide| wide.includes(namespace)))
    }
}

#[cfg(test)]
mod tests {
    use policies::language::Glob;

    use super::{Rights, UserName};

    #[test]
    fn a_directory_reaches_what_is_below_it_only() {
        let mut rights = Rights::of(UserName::parse("ci").unwrap());
        assert!(rights.reach("a.yaml"));
        rights.directory = Some("teams/shop".to_owned());
        for (path, reached) in [
            ("teams/shop/a.yaml", true),
            ("teams/shop/b/a.yaml", true),
            ("teams/shopping/a.yaml", false),
            ("a.yaml", false),
        ] {
            assert_eq!(rights.reach(path), reached, "{path}");
        }
    }

    #[test]
    fn a_selector_must_stay_within_the_namespaces() {
        let glob = |text: &str| Glob::try_from(text.to_owned()).unwrap();
        let mut rights = Rights::of(UserName::parse("ci").unwrap());
        assert!(rights.cover(&Glob::any()));
        rights.namespaces = Some(vec![glob("shop-*"), glob("demo")]);
        for (namespace, covered) in
            [("demo", true), ("shop-a", true), ("shop-*", true), ("*", false), ("s*", false)]
        {
            assert_eq!(rights.cover(&glob(namespace)), covered, "{namespace}");
        }
    }

    #[test]
    fn a_user_name_is_short_and_plain() {
        for bad in ["", "A", "a_b", "a b", "ä", &"a".repeat(64)] {
            assert_eq!(UserName::parse(bad), None, "{bad}");
        }
        assert!(UserName::parse("ci-2").is_some());
    }
}
