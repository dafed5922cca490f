//! All policy files at one revision.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use policies::{Digest, Timestamp};

use super::{ancestry::Ancestry, signers::Signed};

/// The identity of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlobId([u8; 32]);

/// The name of what was checked out: `main@sha1:<commit>`, `dir@sha256:<hex>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Revision(Arc<str>);

/// All policy files at one revision.
#[derive(Debug)]
pub struct Checkout {
    pub revision: Revision,
    pub ancestry: Ancestry,
    /// The signature of the revision, where one is asked for.
    pub signed: Option<Arc<Signed>>,
    /// The policy directory as the paths have it, with its slash; empty if they are relative to it.
    pub directory: String,
    pub files: Vec<CheckoutFile>,
    /// The files directly in the directories above the policy directory, for their guardrails.
    pub above: Vec<CheckoutFile>,
    /// Oddities of the source that do not keep it from being read.
    pub warnings: Vec<Warning>,
}

/// An oddity of a source, such as a directory that is ignored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// The path in the repository or directory; empty for the whole.
    pub path: String,
    /// A sentence whose subject is the path.
    pub message: String,
}

/// A policy file.
#[derive(Debug)]
pub struct CheckoutFile {
    /// The path in the repository or directory.
    pub path: Arc<str>,
    pub blob: BlobId,
    pub content: Content,
    /// The time of the last modification, for a source that knows no better time.
    pub modified: Option<Timestamp>,
}

/// The content of a file, as far as it is known.
#[derive(Debug)]
pub enum Content {
    /// Its bytes were read before.
    Known,
    Bytes(Vec<u8>),
    /// The reason why it could not be read. The file counts as invalid, since its policies are unknown.
    Unreadable(String),
    /// The reason why it is not read, though it may hold applications: what these are is unknown. It has no policies.
    PassedOver(String),
}

impl CheckoutFile {
    /// A file that exists and cannot be read.
    pub(super) fn unreadable(path: String, reason: String) -> Self {
        let blob = BlobId::of(format!("unreadable: {path}: {reason}").as_bytes());
        Self { path: path.into(), blob, content: Content::Unreadable(reason), modified: None }
    }

    /// A file that is not read and may hold applications.
    pub(super) fn passed_over(path: String, reason: &str) -> Self {
        let blob = BlobId::of(format!("passed over: {path}: {reason}").as_bytes());
        Self { path: path.into(), blob, content: Content::PassedOver(reason.to_owned()), modified: None }
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

impl Warning {
    pub(super) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{} ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
