//! Where policies come from: a branch of a Git repository, or a plain folder.
//!
//! A source is read in one go: [`Source::read`] gives a [`Reading`](reading::Reading), which holds the
//! [`Checkout`], and is kept once it has been loaded. A checkout is the revision and the policy files, each by the
//! hash of its content, so that what is known already is not read again. A failure of the source changes nothing
//! that is served.

pub mod abort;
pub mod access;
pub mod ancestry;
pub mod dir;
pub mod git;
pub mod location;
pub mod reading;
pub mod signers;
pub mod state_dir;
pub mod target;
pub mod watch;

use std::{
    fmt,
    hash::{Hash, Hasher},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use policies::{Digest, Timestamp};

use self::{
    abort::Abort,
    access::Access,
    ancestry::Ancestry,
    dir::DirSource,
    git::GitSource,
    location::Repository,
    reading::Reading,
    signers::{Signed, Signers},
    target::Target,
};
use crate::source::state_dir::StateDir;

/// How deep folders are followed.
const MAX_DEPTH: usize = 32;

/// What to follow.
#[derive(Clone, Debug)]
pub enum Settings {
    Git { repository: Repository, target: Target, path: PathBuf, access: Box<Access> },
    Dir(PathBuf),
}

impl Settings {
    /// Those one of whom must have signed what is served, where that is asked for.
    pub fn signers(&self) -> Option<&Signers> {
        match self {
            Self::Git { access, .. } => access.signers.as_ref(),
            Self::Dir(_) => None,
        }
    }
}

/// A source and what it remembers between reconciles.
pub enum Source {
    Git(Box<GitSource>),
    Dir(DirSource),
}

/// What `hfi serve` starts to fetch from a remote repository: this very program, with this command.
pub fn fetch_for_parent() -> ExitCode {
    git::fetch_for_parent()
}

/// The identity of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlobId([u8; 32]);

/// What was checked out, as it is shown: `main@sha1:<commit>`, `dir@sha256:<hex>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Revision(Arc<str>);

/// All policy files at one revision.
#[derive(Debug)]
pub struct Checkout {
    pub revision: Revision,
    pub ancestry: Ancestry,
    /// What vouches for the revision, where that is asked for.
    pub signed: Option<Arc<Signed>>,
    pub files: Vec<CheckoutFile>,
    /// The files that stand right in the folders above the policy folder, for their guardrails.
    pub above: Vec<CheckoutFile>,
    /// What is odd about the source although it could be read.
    pub warnings: Vec<String>,
}

/// A policy file.
#[derive(Debug)]
pub struct CheckoutFile {
    /// Its path in the repository or folder.
    pub path: Arc<str>,
    pub blob: BlobId,
    pub content: Content,
    /// When it was last modified, where the source knows that and nothing better.
    pub modified: Option<Timestamp>,
}

/// What is known of a file's content.
#[derive(Debug)]
pub enum Content {
    /// It was read before.
    Known,
    Bytes(Vec<u8>),
    /// It could not be read, and why. It counts as an invalid file: what it holds nobody knows.
    Unreadable(String),
}

/// Why a source could not be read. The message is for people and free of secrets.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub String);

impl Source {
    /// Prepares a source; nothing is fetched yet. What outlives the process goes to `state`; of a plain
    /// folder nothing does.
    pub fn open(settings: Settings, state: Option<StateDir>) -> Result<Self, SourceError> {
        Ok(match settings {
            Settings::Git { repository, target, path, access } => {
                Self::Git(Box::new(GitSource::open(repository, target, path, *access, state)?))
            }
            Settings::Dir(root) => Self::Dir(DirSource::new(root)),
        })
    }

    /// Ends a checkout under way that waits for somebody else, with an error.
    pub fn abort(&self) -> Abort {
        match self {
            Self::Git(git) => git.abort(),
            Self::Dir(_) => Abort::default(),
        }
    }

    /// Reads the newest state; `None` if it is the one that was kept last. Blocks. Files whose content `is_known`
    /// come without it.
    pub fn read(&mut self, is_known: impl Fn(&BlobId) -> bool) -> Result<Option<Reading<'_>>, SourceError> {
        match self {
            Self::Git(git) => {
                let read = git.read(is_known)?;
                Ok(read.map(|(checkout, git)| Reading::of_commit(checkout, git)))
            }
            Self::Dir(dir) => dir.checkout(is_known).map(Reading::of_directory).map(Some),
        }
    }

    /// Reads the last good state of an earlier process, if there is one, by `load`. Blocks. What cannot be loaded is
    /// damaged, and removed.
    pub fn restore<T>(&mut self, load: impl FnOnce(Reading<'_>) -> Result<T, SourceError>) -> Option<T> {
        match self {
            Self::Git(git) => git.restore(|checkout, git| load(Reading::of_commit(checkout, git))),
            Self::Dir(_) => None,
        }
    }

    /// Puts the storage in order. Blocks. Not a part of reading, since it may take long: nobody waits for it when it
    /// comes after publishing. What was fetched and refused needs it too.
    pub fn tidy(&mut self) {
        if let Self::Git(git) = self {
            git.tidy();
        }
    }
}

impl CheckoutFile {
    /// A file that is there and cannot be read.
    fn unreadable(path: String, reason: String) -> Self {
        let blob = BlobId::of(format!("unreadable: {path}: {reason}").as_bytes());
        Self { path: path.into(), blob, content: Content::Unreadable(reason), modified: None }
    }
}

impl BlobId {
    /// The identity of content by its SHA-256.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Digest::of(bytes).into_bytes())
    }

    /// The identity of a Git blob: its object id, 20 or 32 bytes.
    pub fn of_object(id: &[u8]) -> Self {
        let mut padded = [0; 32];
        padded.iter_mut().zip(id).for_each(|(to, from)| *to = *from);
        Self(padded)
    }

    /// The bytes of the identity.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Hash for BlobId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Its bytes alone, which are as good as random.
        state.write(&self.0);
    }
}

impl Revision {
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Git(git) => git.fmt(f),
            Self::Dir(dir) => dir.fmt(f),
        }
    }
}

/// Whether a name looks like a policy file's but for the case of its ending.
fn is_miscased(name: &str) -> bool {
    !is_policy_file(name) && is_policy_file(&name.to_ascii_lowercase())
}

/// Whether a file of this name holds policies, by its ending; names that begin with a dot do not.
pub(crate) fn is_policy_file(name: &str) -> bool {
    !is_hidden(name) && (name.ends_with(".yaml") || name.ends_with(".yml"))
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// Whether a change at this path can change what is read: a policy file, a folder, a ref, or the
/// `..data` of a ConfigMap; not a log file that lies beside them.
pub(crate) fn may_matter(path: &Path) -> bool {
    let is_other = || path.extension().is_some_and(|extension| extension != "yaml" && extension != "yml");
    let is_ref = || path.components().any(|part| part.as_os_str() == "refs");
    !path.is_file() || !is_other() || is_ref()
}
