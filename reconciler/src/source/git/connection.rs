//! The connection to the server of a repository: SSH as libgit2 speaks it, or HTTP by a transport of our own.

use std::path::{Path, PathBuf};

use git_http::{Failure, Report, Settings};
use git2::{Error, RemoteCallbacks};

use super::{protocol_failure, reason::failure, secret::secret, ssh_failure, ssh_login::SshLogin};
use crate::source::{access::Login, error::SourceError, printable::printable};

/// The beginnings of the sentences that say what failed; the repository follows.
pub(super) const FETCH: &str = "cannot fetch from";
pub(super) const PUSH: &str = "cannot push to";

/// The way to a server, and the cause of its errors.
pub(super) enum Connection<'a> {
    Ssh(SshLogin<'a>),
    Http(Report),
}

impl<'a> Connection<'a> {
    /// Over SSH. `known_hosts` is for errors.
    pub(super) fn ssh(login: &'a Login, known_hosts: &'a Path) -> Self {
        Self::Ssh(SshLogin::new(login, known_hosts))
    }

    /// Over HTTP; once in a process, and before anything is fetched.
    pub(super) fn http(login: &Login, ca_file: Option<PathBuf>) -> Result<Self, Error> {
        git_http::install(Settings { login: http_login(login), ca_file }).map(Self::Http)
    }

    /// The callbacks that the connection needs.
    pub(super) fn callbacks(&self) -> RemoteCallbacks<'_> {
        let mut callbacks = RemoteCallbacks::new();
        if let Self::Ssh(login) = self {
            callbacks.credentials(|_, user, allowed| login.answer(user, allowed));
            callbacks.certificate_check(|certificate, _| login.look_at(certificate));
        }
        callbacks
    }

    /// The same way once more: a login over SSH is answered once.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Ssh(login) => Self::Ssh(login.again()),
            Self::Http(report) => Self::Http(report.clone()),
        }
    }

    /// An error of libgit2, with the cause if it is known here.
    pub(super) fn explain(&self, what: &str, repository: &str, error: &Error) -> SourceError {
        self.diagnose(what, repository, error).error
    }

    /// The same, and what follows for a request that changes something.
    pub(super) fn diagnose(&self, what: &str, repository: &str, error: &Error) -> Diagnosis {
        let what = format!("{what} {repository}");
        let told = |sentence: String| SourceError(format!("{what}: {sentence}"));
        let mut said = protocol_failure::said(error);
        let mut is_denied = false;
        let known = match self {
            Self::Ssh(login) => {
                said = said.or_else(|| ssh_failure::said(error));
                let of_login = login.explain(&what, repository, error);
                of_login.or_else(|| ssh_failure::sentence(error).map(told))
            }
            Self::Http(report) => report.take().map(|failure| {
                is_denied = denies(&failure);
                said = said.take().or_else(|| words(&failure));
                told(failure.to_string())
            }),
        };
        let of_protocol = || protocol_failure::sentence(error).map(told);
        let error = known.or_else(of_protocol).unwrap_or_else(|| failure(&what, error));
        Diagnosis { error, said, is_denied }
    }
}

/// An error of a connection.
pub(super) struct Diagnosis {
    pub(super) error: SourceError,
    /// The words of the server, any text. Those of a program there may be its last ones, in the middle of its work.
    pub(super) said: Option<String>,
    /// True for an answer of 401 or 403: the request was not let in. No other answer of HTTP says that of a request that
    /// was sent whole: a proxy may have given it.
    pub(super) is_denied: bool,
}

/// The words of a server that refuses.
fn words(failure: &Failure) -> Option<String> {
    match failure {
        Failure::Forbidden { said } if said.is_empty() => Some("403 Forbidden".to_owned()),
        Failure::Forbidden { said } | Failure::Said(said) => Some(said.clone()),
        _ => None,
    }
}

/// True if the server has not let the request in: 401 or 403.
fn denies(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Forbidden { .. }
            | Failure::Login(_)
            | Failure::Refused(_)
            | Failure::NoBasic { .. }
            | Failure::NoChallenge
    )
}

fn http_login(login: &Login) -> git_http::Login {
    let (file, options) = (login.password_file.clone(), login.options);
    let shown = file.as_deref().map_or(String::new(), |file| file.display().to_string());
    git_http::Login {
        user: login.user().to_owned(),
        described: format!("user `{}`, password in {shown}", printable(login.user())),
        password: Box::new(move || match &file {
            Some(file) => secret(file),
            None => Err(format!("asks for a password or token; give one with {}", options.password_file())),
        }),
    }
}
