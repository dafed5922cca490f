//! The answers to the questions of a Git server during a fetch.
//!
//! libgit2 asks again after each refusal; every answer is given once. Secrets are read when the server asks for
//! them, and errors name the file and not the secret.

use std::{
    cell::{Cell, RefCell},
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use git2::{CertificateCheckStatus, Cred, CredentialType, Error, ErrorCode, cert::Cert};

use super::{failure, fingerprint::fingerprint};
use crate::{
    io_reason::io_reason,
    source::{access::Login, error::SourceError},
};

/// The longest password, token or key that is read, in bytes.
const LONGEST_SECRET: u64 = 64 * 1024;
const USUAL_USER: &str = "git";

/// The questions and answers of one fetch.
pub(super) struct Credentials<'a> {
    login: &'a Login,
    /// The path of the `known_hosts` file, for errors.
    known_hosts: &'a Path,
    was_asked: Cell<bool>,
    /// The reason why an answer could not be given, in our own words.
    refusal: RefCell<Option<String>>,
    /// The fingerprint of the key that an SSH server has shown.
    host_key: RefCell<Option<String>>,
}

impl<'a> Credentials<'a> {
    pub(super) fn new(login: &'a Login, known_hosts: &'a Path) -> Self {
        Self {
            login,
            known_hosts,
            was_asked: Cell::new(false),
            refusal: RefCell::default(),
            host_key: RefCell::default(),
        }
    }

    /// Answers with the user name and a credential. `user` is the user of the URL.
    pub(super) fn answer(&self, user: Option<&str>, allowed: CredentialType) -> Result<Cred, Error> {
        let user = user.or(self.login.username.as_deref()).unwrap_or(USUAL_USER);
        if allowed.contains(CredentialType::USERNAME) {
            return Cred::username(user);
        }
        let answer = if self.host_key.borrow().is_some() {
            self.answer_ssh(user, allowed)
        } else {
            self.answer_http(user, allowed)
        };
        answer.map_err(|reason| {
            let error = Error::from_str(&reason);
            self.refusal.replace(Some(reason));
            error
        })
    }

    fn answer_http(&self, user: &str, allowed: CredentialType) -> Result<Cred, String> {
        let Some(file) = &self.login.password_file else {
            return Err("asks for a password or token; give one with --git-password-file".to_owned());
        };
        if !allowed.contains(CredentialType::USER_PASS_PLAINTEXT) {
            return Err("takes neither a password nor a token".to_owned());
        }
        if self.was_asked.replace(true) {
            return Err(format!("refused the credentials: user `{user}`, password in {}", file.display()));
        }
        Cred::userpass_plaintext(user, &secret(file)?).map_err(|error| error.message().to_owned())
    }

    fn answer_ssh(&self, user: &str, allowed: CredentialType) -> Result<Cred, String> {
        let Some(file) = &self.login.ssh_key_file else {
            return Err("asks for an SSH key; give one with --ssh-key-file".to_owned());
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
        Cred::ssh_key_from_memory(user, None, &key, passphrase.as_deref())
            .map_err(|error| error.message().to_owned())
    }

    /// Leaves the decision to libgit2, and remembers the key for errors.
    pub(super) fn look_at(&self, certificate: &Cert<'_>) -> Result<CertificateCheckStatus, Error> {
        if let Some(key) = certificate.as_hostkey() {
            self.host_key.replace(Some(fingerprint(key)));
        }
        Ok(CertificateCheckStatus::CertificatePassthrough)
    }

    /// An error of libgit2, with the cause if it is known here.
    pub(super) fn explain(&self, repository: &str, error: &Error) -> SourceError {
        if let Some(refusal) = self.refusal.take() {
            return SourceError(format!("{repository} {refusal}"));
        }
        let what = format!("cannot fetch from {repository}");
        let host_key = self.host_key.take();
        match (error.code(), &host_key) {
            (ErrorCode::Certificate, Some(key)) => SourceError(format!(
                "{what}: the server's key {key} is not among those that {} has for it",
                self.known_hosts.display()
            )),
            (ErrorCode::Certificate, None) => SourceError(format!(
                "{what}: the server's certificate is not trusted ({}); if its authority is your own, give it with --ca-file",
                error.message()
            )),
            // The key could not be used; the server has not even seen it.
            (_, Some(_)) if self.was_asked.get() && error.message().contains("private key") => {
                let file = self.login.ssh_key_file.as_deref().unwrap_or(Path::new(""));
                failure(&format!("{what}: cannot use the SSH key in {}", file.display()), error)
            }
            // The URL may hold the proxy's password.
            _ if error.message().contains("invalid URL: '") => {
                SourceError(format!("{what}: the URL of the proxy, in the environment, is not valid"))
            }
            _ => failure(&what, error),
        }
    }
}

/// A password, token or passphrase, without the end of its line.
fn secret(file: &Path) -> Result<String, String> {
    let secret = read(file)?.trim_end_matches(['\r', '\n']).to_owned();
    if secret.is_empty() {
        Err(format!("asks for a password, and {} is empty", file.display()))
    } else {
        Ok(secret)
    }
}

fn read(file: &Path) -> Result<String, String> {
    let read = || -> io::Result<String> {
        let mut text = String::new();
        File::open(file)?.take(LONGEST_SECRET).read_to_string(&mut text)?;
        Ok(text)
    };
    let why =
        |error| format!("asks for credentials, and {} cannot be read: {}", file.display(), io_reason(&error));
    read().map_err(why)
}
