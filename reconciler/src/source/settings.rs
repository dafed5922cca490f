//! The settings of a source.

use std::path::PathBuf;

use super::{access::Access, location::Repository, signers::Signers, target::Target};

/// The repository or directory to follow.
#[derive(Clone, Debug)]
pub enum Settings {
    Git { repository: Repository, target: Target, path: PathBuf, access: Box<Access> },
    Dir(PathBuf),
}

impl Settings {
    /// The trusted signers, where commits must be signed.
    pub fn signers(&self) -> Option<&Signers> {
        match self {
            Self::Git { access, .. } => access.signers.as_ref(),
            Self::Dir(_) => None,
        }
    }
}
