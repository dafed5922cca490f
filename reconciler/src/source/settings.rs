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
    /// The repository, ref and path, or the directory, in words. Two sources of the same words are one.
    pub fn identity(&self) -> String {
        match self {
            Self::Git { repository, target, path, .. } => {
                format!("{target} of {}, path `{}`", repository.identity(), path.display())
            }
            Self::Dir(path) => format!("the directory {}", path.display()),
        }
    }

    /// The policy directory in the repository. The paths of a plain directory begin below it.
    pub fn directory(&self) -> String {
        match self {
            Self::Git { path, .. } => path.to_string_lossy().into_owned(),
            Self::Dir(_) => String::new(),
        }
    }

    /// The trusted signers, where commits must be signed.
    pub fn signers(&self) -> Option<&Signers> {
        match self {
            Self::Git { access, .. } => access.signers.as_ref(),
            Self::Dir(_) => None,
        }
    }
}
