//! The connection to the server of a repository: SSH as libgit2 speaks it, or HTTP by a transport of our own.

use std::path::{Path, PathBuf};

use git_http::{Report, Settings};
use git2::{Error, RemoteCallbacks};

use super::{protocol_failure, reason::failure, secret::secret, ssh_failure, ssh_login::SshLogin};
use crate::source::{access::Login, error::SourceError, printable::printable};

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

    /// An error of libgit2, with the cause if it is known here.
    pub(super) fn explain(&self, repository: &str, error: &Error) -> SourceError {
        let what = format!("cannot fetch from {repository}");
        let told = |sentence: String| SourceError(format!("{what}: {sentence}"));
        let known = match self {
            Self::Ssh(login) => {
                login.explain(repository, error).or_else(|| ssh_failure::sentence(error).map(told))
            }
            Self::Http(report) => report.take().map(|failure| told(failure.to_string())),
        };
        let of_protocol = || protocol_failure::sentence(error).map(told);
        known.or_else(of_protocol).unwrap_or_else(|| failure(&what, error))
    }
}

fn http_login(login: &Login) -> git_http::Login {
    let file = login.password_file.clone();
    let shown = file.as_deref().map_or(String::new(), |file| file.display().to_string());
    git_http::Login {
        user: login.user().to_owned(),
        described: format!("user `{}`, password in {shown}", printable(login.user())),
        password: Box::new(move || match &file {
            Some(file) => secret(file),
            None => Err("asks for a password or token; give one with --git-password-file".to_owned()),
        }),
    }
}
