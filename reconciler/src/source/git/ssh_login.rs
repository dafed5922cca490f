//! The answers to the questions of an SSH server.
//!
//! libgit2 asks again after each refusal; every answer is given once. Secrets are read when the server asks for
//! them.

use std::{
    cell::{Cell, RefCell},
    path::Path,
};

use git2::{CertificateCheckStatus, Cred, CredentialType, Error, ErrorCode, cert::Cert};

use super::{
    fingerprint::fingerprint,
    reason::{explained, reason},
    secret::{read, secret},
};
use crate::source::{access::Login, error::SourceError};

/// The questions and answers of one connection.
pub(super) struct SshLogin<'a> {
    login: &'a Login,
    /// The path of the `known_hosts` file, for errors.
    known_hosts: &'a Path,
    was_asked: Cell<bool>,
    /// The reason why an answer could not be given, in our own words.
    refusal: RefCell<Option<String>>,
    /// The fingerprint of the key that the server has shown.
    host_key: RefCell<Option<String>>,
}

impl<'a> SshLogin<'a> {
    pub(super) fn new(login: &'a Login, known_hosts: &'a Path) -> Self {
        Self {
            login,
            known_hosts,
            was_asked: Cell::new(false),
            refusal: RefCell::default(),
            host_key: RefCell::default(),
        }
    }

    /// The same for another connection.
    pub(super) fn again(&self) -> Self {
        Self::new(self.login, self.known_hosts)
    }

    /// Answers with the user name and a credential. `user` is the user of the URL.
    pub(super) fn answer(&self, user: Option<&str>, allowed: CredentialType) -> Result<Cred, Error> {
        let user = user.unwrap_or_else(|| self.login.user());
        if allowed.contains(CredentialType::USERNAME) {
            return Cred::username(user);
        }
        self.key(user, allowed).map_err(|reason| {
            let error = Error::from_str(&reason);
            self.refusal.replace(Some(reason));
            error
        })
    }

    fn key(&self, user: &str, allowed: CredentialType) -> Result<Cred, String> {
        let Some(file) = &self.login.ssh_key_file else {
            let option = self.login.options.ssh_key_file();
            return Err(format!("asks for an SSH key; give one with {option}"));
        };
        if self.was_asked.replace(true) {
            return Err(format!("refused the credentials: user `{user}`, SSH key in {}", file.display()));
        }
        // Its password, which such a server may ask for instead, is nothing that we have.
        if !allowed.contains(CredentialType::SSH_KEY) {
            return Err("does not take SSH keys".to_owned());
        }
        let passphrase = self.login.password_file.as_deref().map(secret).transpose()?;
        let key = read(file)?;
        Cred::ssh_key_from_memory(user, None, &key, passphrase.as_deref()).map_err(|error| {
            format!("asks for an SSH key, and that in {} cannot be used: {}", file.display(), reason(&error))
        })
    }

    /// Leaves the decision to libgit2, and remembers the key for errors.
    pub(super) fn look_at(&self, certificate: &Cert<'_>) -> Result<CertificateCheckStatus, Error> {
        if let Some(key) = certificate.as_hostkey() {
            self.host_key.replace(Some(fingerprint(key)));
        }
        Ok(CertificateCheckStatus::CertificatePassthrough)
    }

    /// The cause of an error of libgit2, if it is known here. `what` is what failed, with the repository.
    pub(super) fn explain(&self, what: &str, repository: &str, error: &Error) -> Option<SourceError> {
        if let Some(refusal) = self.refusal.take() {
            return Some(SourceError(format!("{repository} {refusal}")));
        }
        let key = self.host_key.take()?;
        if error.code() == ErrorCode::Certificate {
            let known_hosts = self.known_hosts.display();
            return Some(SourceError(format!(
                "{what}: the server's key {key} is not among those that {known_hosts} has for it; if it is the \
                 right one, add the line that `ssh-keyscan` prints"
            )));
        }
        // The key could not be used; the server has not even seen it.
        let is_unusable = self.was_asked.get() && error.message().contains("private key");
        is_unusable.then(|| {
            let file = self.login.ssh_key_file.as_deref().unwrap_or(Path::new(""));
            let why = format!(
                "it is not a private key of a kind that hfi reads, or its passphrase is missing or wrong ({})",
                self.login.options.password_file()
            );
            SourceError(format!("{what}: cannot use the SSH key in {}: {}", file.display(), explained(&why, error)))
        })
    }
}
