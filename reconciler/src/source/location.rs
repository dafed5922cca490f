//! The location of a repository: a URL or a local path.

use std::{
    ffi::OsString,
    fmt,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
    str::FromStr,
};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

/// A repository that can be fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repository {
    /// A repository on this machine; its refs can be watched.
    Local(PathBuf),
    /// A repository on a server. Never holds a secret.
    Remote {
        url: String,
        transport: Transport,
        /// The user that a URL of HTTP named; `url` is without it, since some forges take a token there.
        user: Option<String>,
    },
}

/// The protocol of a remote repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transport {
    Http,
    Https,
    Ssh,
}

/// The reason why a text is no location. Never shows the text, because it may hold a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    #[error("is empty; name a URL or a path")]
    Empty,
    #[error(
        "holds credentials; a URL is logged and listed by `ps`, so leave the password out, and give it as a \
             file with --git-password-file"
    )]
    Credentials,
    #[error("has a user name that is not UTF-8; leave it out, and give it with --git-username")]
    User,
    #[error("has a query or a fragment, which no repository's URL needs")]
    Query,
    #[error("has scheme `{0}`; use https, http, ssh, file, or a path")]
    Scheme(String),
    #[error("is not of the form user@host:path, which the colon before the first slash makes it")]
    Scp,
    #[error("names no host")]
    Host,
    #[error("is not of the form file:///path, which names a repository on this machine")]
    File,
}

impl FromStr for Repository {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        if text.is_empty() {
            return Err(LocationError::Empty);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            // Git's own rule: a colon before the first slash is scp's.
            let is_scp = text.split('/').next().is_some_and(|first| first.contains(':'));
            return if is_scp { scp(text) } else { Ok(Self::Local(text.into())) };
        };
        let transport = match scheme.to_ascii_lowercase().as_str() {
            "file" => return local(rest),
            "http" => Transport::Http,
            "https" => Transport::Https,
            "ssh" | "git+ssh" | "ssh+git" => Transport::Ssh,
            _ => return Err(LocationError::Scheme(scheme.to_owned())),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        if user.contains(':') {
            return Err(LocationError::Credentials);
        }
        if host.is_empty() || host.starts_with(':') {
            return Err(LocationError::Host);
        }
        // A password that holds a slash ends the authority before its `@`, and stands where a port would.
        let after_brackets = host.rsplit(']').next().unwrap_or_default();
        let port = after_brackets.rsplit_once(':').map(|(_, port)| port);
        let is_odd = |port: &str| port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit());
        if port.is_some_and(|port| is_odd(port) || (!host.contains(']') && leaves_an_at(rest, authority))) {
            return Err(LocationError::Credentials);
        }
        if rest.contains(['?', '#']) {
            return Err(LocationError::Query);
        }
        if transport == Transport::Ssh || user.is_empty() {
            return Ok(Self::Remote { url: text.to_owned(), transport, user: None });
        }
        let path = rest.get(authority.len()..).unwrap_or_default();
        let user = percent_decode_str(user).decode_utf8().map_err(|_| LocationError::User)?.into_owned();
        Ok(Self::Remote { url: format!("{scheme}://{host}{path}"), transport, user: Some(user) })
    }
}

/// The path of a file URL, without its `file://`. Git decodes it.
fn local(rest: &str) -> Result<Repository, LocationError> {
    let (host, path) = rest.split_at(rest.find('/').ok_or(LocationError::File)?);
    let path: Vec<u8> = percent_decode_str(path).collect();
    if !(host.is_empty() || host.eq_ignore_ascii_case("localhost")) || path.contains(&0) {
        return Err(LocationError::File);
    }
    Ok(Repository::Local(OsString::from_vec(path).into()))
}

/// True if the authority of the URL contains an `@`.
fn leaves_an_at(rest: &str, authority: &str) -> bool {
    rest.get(authority.len()..).is_some_and(|path| path.contains('@'))
}

/// `[user@]host:path`.
fn scp(text: &str) -> Result<Repository, LocationError> {
    let (user, rest) = text.split_once('@').unwrap_or(("", text));
    if user.contains(':') {
        return Err(LocationError::Credentials);
    }
    // An address of IPv6 stands in brackets, which hold its colons.
    let after_host = rest.find(']').map_or(0, |end| end + 1);
    let separator = rest.get(after_host..).and_then(|tail| tail.find(':')).ok_or(LocationError::Scp)?;
    let (host, path) = rest.split_at(after_host + separator);
    if host.is_empty() || path.len() < 2 {
        return Err(LocationError::Scp);
    }
    Ok(Repository::Remote { url: text.to_owned(), transport: Transport::Ssh, user: None })
}

impl Repository {
    /// The URL or path that libgit2 fetches from.
    pub fn url(&self) -> String {
        match self {
            Self::Local(path) => path.to_string_lossy().into_owned(),
            Self::Remote { url, .. } => url.clone(),
        }
    }

    /// The protocol, if the repository is remote.
    pub fn transport(&self) -> Option<Transport> {
        match self {
            Self::Local(_) => None,
            Self::Remote { transport, .. } => Some(*transport),
        }
    }

    /// The identity of the repository, independent of the working directory of the process.
    pub fn identity(&self) -> String {
        match self {
            Self::Local(path) => std::path::absolute(path).as_deref().unwrap_or(path).display().to_string(),
            Self::Remote { url, .. } => url.clone(),
        }
    }

    /// The directory that holds the refs, if it can be watched.
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
    use super::{LocationError, Repository, Transport};

    #[test]
    fn a_url_or_a_path_names_a_repository() {
        let parse = |text: &str| text.parse::<Repository>().unwrap();
        assert_eq!(parse("/srv/policies.git"), Repository::Local("/srv/policies.git".into()));
        assert_eq!(parse("./policies"), Repository::Local("./policies".into()));
        assert_eq!(parse("./a:b"), Repository::Local("./a:b".into()));
        assert_eq!(parse("file:///srv/policies.git"), Repository::Local("/srv/policies.git".into()));
        for (url, path) in [
            ("FILE://localhost/srv/p.git", "/srv/p.git"),
            ("file:///srv/fault%20policies/%C3%A9t%C3%A9?a#b.git", "/srv/fault policies/été?a#b.git"),
            ("file:///srv/100%/p.git", "/srv/100%/p.git"),
        ] {
            assert_eq!(parse(url), Repository::Local(path.into()), "{url}");
        }
        for (url, transport) in [
            ("HTTPS://git.example/p.git", Transport::Https),
            ("http://git.example:3000/a/b/c/p", Transport::Http),
            ("https://git.example/~a@b/p:q", Transport::Https),
            ("https://[::1]:8443/p.git", Transport::Https),
            ("ssh://git@git.example:2222/~me/p.git", Transport::Ssh),
            ("git@git.example:a/b.git", Transport::Ssh),
            ("git.example:/srv/p.git", Transport::Ssh),
            ("git@[::1]:p.git", Transport::Ssh),
        ] {
            assert_eq!(parse(url), Repository::Remote { url: url.into(), transport, user: None }, "{url}");
        }
    }

    #[test]
    fn a_user_in_a_url_of_http_is_taken_and_not_shown() {
        for (given, url, user) in [
            ("https://acme@dev.azure.com/a/_git/p", "https://dev.azure.com/a/_git/p", "acme"),
            ("http://me%40corp.example@git.example:3000/p", "http://git.example:3000/p", "me@corp.example"),
            ("https://me@[::1]:8443/~a@b/p:q", "https://[::1]:8443/~a@b/p:q", "me"),
        ] {
            let repository: Repository = given.parse().unwrap();
            assert_eq!(repository.to_string(), url);
            assert_eq!(repository.identity(), url);
            let Repository::Remote { user: found, .. } = repository else { panic!("it is local") };
            assert_eq!(found.as_deref(), Some(user));
        }
        assert_eq!("https://%ff@git.example/p".parse::<Repository>(), Err(LocationError::User));
    }

    #[test]
    fn credentials_in_a_url_are_refused_and_not_shown() {
        for bad in [
            "https://user:secret@git.example/p.git",
            "https://a@b:secret@git.example/p.git",
            "https://user:se/secret@git.example/p.git",
            "https://user:12/secret@git.example/p.git",
            "ssh://git:secret@git.example/p.git",
            "git:secret@git.example:p.git",
        ] {
            let error = bad.parse::<Repository>().unwrap_err();
            assert_eq!(error, LocationError::Credentials, "{bad}");
            assert!(!error.to_string().contains("secret"));
        }
        let error = "https://git.example/p.git?token=secret".parse::<Repository>().unwrap_err();
        assert_eq!(error, LocationError::Query);
    }

    #[test]
    fn what_cannot_be_fetched_is_refused() {
        for (bad, error) in [
            ("ftp://a/b", LocationError::Scheme("ftp".into())),
            ("", LocationError::Empty),
            ("file://srv", LocationError::File),
            ("file://git.example/srv/p.git", LocationError::File),
            ("file:///srv/p%00.git", LocationError::File),
            ("https:///p.git", LocationError::Host),
            ("ssh://git@:22/p.git", LocationError::Host),
            ("git@git.example:", LocationError::Scp),
            (":p.git", LocationError::Scp),
        ] {
            assert_eq!(bad.parse::<Repository>(), Err(error), "{bad}");
        }
    }
}
