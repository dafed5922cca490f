//! Where a repository is: a URL or a local path.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// A repository that can be fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repository {
    /// On this machine; its refs can be watched.
    Local(PathBuf),
    /// Somewhere else, by `http` or `https`.
    Remote(String),
}

/// Why a text names no repository.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    #[error("is empty; name a URL or a path")]
    Empty,
    #[error("holds credentials; a URL is logged and listed by `ps`, so keep them out of it")]
    Credentials,
    #[error("has scheme `{0}`; use http, https, file, or a path")]
    Scheme(String),
    #[error("is in the form of scp, which goes over SSH; use http, https, file, or a path")]
    Scp,
}

impl FromStr for Repository {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        if text.is_empty() {
            return Err(LocationError::Empty);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            // Git's own rule: a colon before the first slash is scp's.
            let scp = text.split('/').next().is_some_and(|first| first.contains(':'));
            return if scp { Err(LocationError::Scp) } else { Ok(Self::Local(text.into())) };
        };
        match scheme.to_ascii_lowercase().as_str() {
            "file" => Ok(Self::Local(rest.into())),
            "http" | "https" => {
                let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
                if authority.contains('@') {
                    return Err(LocationError::Credentials);
                }
                Ok(Self::Remote(text.to_owned()))
            }
            _ => Err(LocationError::Scheme(scheme.to_owned())),
        }
    }
}

impl Repository {
    /// What libgit2 fetches from.
    pub fn url(&self) -> String {
        match self {
            Self::Local(path) => path.to_string_lossy().into_owned(),
            Self::Remote(url) => url.clone(),
        }
    }

    /// The folder that holds the refs, where they can be watched.
    pub fn git_dir(&self) -> Option<PathBuf> {
        let Self::Local(path) = self else { return None };
        let inner = path.join(".git");
        Some(if inner.is_dir() { inner } else { Path::to_path_buf(path) })
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url())
    }
}

#[cfg(test)]
mod tests {
    use super::{LocationError, Repository};

    #[test]
    fn a_url_or_a_path_names_a_repository() {
        let parse = |text: &str| text.parse::<Repository>().unwrap();
        assert_eq!(parse("/srv/policies.git"), Repository::Local("/srv/policies.git".into()));
        assert_eq!(parse("./policies"), Repository::Local("./policies".into()));
        assert_eq!(parse("file:///srv/policies.git"), Repository::Local("/srv/policies.git".into()));
        assert_eq!(
            parse("HTTPS://git.example/p.git"),
            Repository::Remote("HTTPS://git.example/p.git".into())
        );
    }

    #[test]
    fn credentials_in_a_url_are_refused() {
        for bad in ["https://user:secret@git.example/p.git", "http://token@git.example"] {
            assert_eq!(bad.parse::<Repository>(), Err(LocationError::Credentials));
        }
        assert!("https://git.example/a@b".parse::<Repository>().is_ok());
    }

    #[test]
    fn what_cannot_be_fetched_is_refused() {
        assert_eq!("ftp://a/b".parse::<Repository>(), Err(LocationError::Scheme("ftp".into())));
        assert_eq!("git@git.example:a/b.git".parse::<Repository>(), Err(LocationError::Scp));
        assert_eq!("".parse::<Repository>(), Err(LocationError::Empty));
    }
}
