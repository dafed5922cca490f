//! Push notifications, and the proof that a forge sent one.
//!
//! A notification only says that it is time to read the source again. It never says what to read, so a replayed
//! one does no harm.

mod signature;

use std::{fs, io, path::PathBuf};

use tracing::warn;

use self::signature::{is_same, sign};
use crate::io_reason::io_reason;

/// A kind of sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forge {
    GitHub,
    GitLab,
    Gitea,
    /// Flux's notification-controller with `generic-hmac`, and every sender that signs the same way.
    Generic,
}

/// The file of secrets shared with the forges, one a line, which may change at any time. Every secret is valid,
/// so that a new one can be added before the old one is removed.
#[derive(Debug)]
pub struct SecretFile(PathBuf);

/// The reason why nothing can be verified.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("the file of --hook-secret-file cannot be read: {}", io_reason(.0))]
    Unreadable(#[from] io::Error),
    #[error("the file of --hook-secret-file holds no secret")]
    Empty,
}

impl Forge {
    pub const ALL: [Self; 4] = [Self::GitHub, Self::GitLab, Self::Gitea, Self::Generic];

    /// The forge with this name in the path.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|forge| forge.as_str() == name)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Gitea => "gitea",
            Self::Generic => "generic",
        }
    }

    /// The header that holds the proof.
    pub fn header(self) -> &'static str {
        match self {
            Self::GitHub => "x-hub-signature-256",
            Self::GitLab => "x-gitlab-token",
            Self::Gitea => "x-gitea-signature",
            Self::Generic => "x-signature",
        }
    }

    /// The proof, for the OpenAPI document.
    pub(crate) fn proof_description(self) -> &'static str {
        match self {
            Self::GitHub => "github: `sha256=` and the HMAC-SHA256 of the body in hex",
            Self::GitLab => "gitlab: the secret",
            Self::Gitea => "gitea: the HMAC-SHA256 of the body in hex",
            Self::Generic => "generic: `sha256=` and the HMAC-SHA256 of the body in hex",
        }
    }

    /// The expected value of the header for this body.
    fn proof(self, secret: &[u8], body: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::GitHub | Self::Generic => Some(format!("sha256={}", sign(secret, body)?).into_bytes()),
            Self::Gitea => Some(sign(secret, body)?.into_bytes()),
            Self::GitLab => Some(secret.to_vec()),
        }
    }
}

impl SecretFile {
    /// The file at this path. A file that cannot be read yet is logged.
    pub fn new(path: PathBuf) -> Self {
        let file = Self(path);
        if let Err(error) = file.secrets() {
            warn!(path = %file.0.display(), "notifications are refused for now: {error}");
        }
        file
    }

    /// True if one of the secrets that are in the file now proves the notification of `forge`. Takes the same time
    /// for every secret.
    pub fn proves(&self, forge: Forge, proof: &[u8], body: &[u8]) -> Result<bool, SecretError> {
        let secrets = self.secrets()?;
        let proofs = secrets.lines().filter_map(|secret| forge.proof(secret.as_bytes(), body));
        Ok(proofs.fold(false, |proven, expected| proven | is_same(proof, &expected)))
    }

    /// The secrets, without blank lines and the spaces around them.
    fn secrets(&self) -> Result<String, SecretError> {
        let text = fs::read_to_string(&self.0)?;
        let secrets: Vec<_> = text.lines().map(str::trim).filter(|secret| !secret.is_empty()).collect();
        if secrets.is_empty() { Err(SecretError::Empty) } else { Ok(secrets.join("\n")) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Forge, SecretError, SecretFile};

    #[test]
    fn a_proof_is_good_while_its_secret_is_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let file = SecretFile::new(path.clone());
        let proven = || file.proves(Forge::GitLab, b"old", b"{}");
        assert!(matches!(proven(), Err(SecretError::Unreadable(_))));
        for (content, expected) in [("old\n", true), ("\n new \nold", true), ("new", false), ("ol", false)] {
            fs::write(&path, content).unwrap();
            assert_eq!(proven().unwrap(), expected, "{content}");
        }
        fs::write(&path, " \n\n").unwrap();
        assert!(matches!(proven(), Err(SecretError::Empty)));
    }
}
