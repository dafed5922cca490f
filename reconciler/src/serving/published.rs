//! The values that are served.

use std::{
    collections::HashSet,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use policies::{
    Catalog, Digest, Scope, Timestamp,
    repository::{ActiveSet, LocatedHalt, LocatedPolicy},
    wire::Format,
};

use crate::source::{Revision, ancestry::Ancestry, signers::Signed};

/// A catalog and where it comes from.
#[derive(Clone, Debug)]
pub struct Whole {
    pub revision: Revision,
    pub ancestry: Ancestry,
    /// The signature of the revision, where one is asked for.
    pub signed: Option<Arc<Signed>>,
    pub catalog: Arc<Catalog>,
    /// The instant by which it is decided which policies of the catalog are active. The [gate](super::gate) sets it.
    pub at: Timestamp,
}

/// The causes for which nothing is injected, whatever the source says. Each comes and goes on its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    /// The halt file exists.
    pub file: bool,
    /// Somebody has halted by HTTP.
    pub request: bool,
    /// The reason why the revision is withdrawn: nobody who may sign has signed it.
    pub withdrawn: Option<String>,
}

/// All that readers see, as one consistent value. A hold empties the catalog that is served, and hides neither
/// the revision nor its ancestors.
#[derive(Clone, Debug)]
pub struct Published {
    pub whole: Whole,
    pub holds: Holds,
    names: OnceLock<HashSet<Box<str>>>,
}

/// A [`Published`], or the reason why there is none yet.
#[derive(Clone, Debug)]
pub enum Publication {
    Starting { reason: String },
    Serving(Arc<Published>),
}

/// A scope in one format: each pair has bytes of its own, and so a digest of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    pub scope: Scope,
    pub format: Format,
}

impl Variant {
    /// The places that it takes where scopes are kept: one for each four names.
    pub(crate) fn weight(&self) -> u32 {
        u32::try_from(self.scope.names().count().div_ceil(4)).unwrap_or(u32::MAX).max(1)
    }
}

impl From<Scope> for Variant {
    /// The scope in format 1, by whose digest replicas are compared.
    fn from(scope: Scope) -> Self {
        Self { scope, format: Format::V1 }
    }
}

/// The snapshot of one scope, in one format.
#[derive(Clone, Debug)]
pub struct Body {
    pub format: Format,
    pub bytes: Bytes,
    pub digest: Digest,
    /// The publication that the bytes are of: the newest one that left them as they are.
    pub published: Arc<Published>,
}

impl Holds {
    /// True if at least one of them is there.
    pub fn any(&self) -> bool {
        self.halted() || self.withdrawn.is_some()
    }

    /// True if somebody has halted.
    pub fn halted(&self) -> bool {
        self.file || self.request
    }
}

impl Published {
    pub(super) fn new(whole: Whole, holds: Holds) -> Self {
        Self { whole, holds, names: OnceLock::new() }
    }

    /// The catalog that is served: an empty one during a hold.
    pub fn served(&self) -> Arc<Catalog> {
        if self.holds.any() { Arc::default() } else { Arc::clone(&self.whole.catalog) }
    }

    /// True if nothing is in force because somebody has stopped everything: by a hold, or by a document.
    pub fn is_halted(&self) -> bool {
        self.holds.file || self.is_halted_without_file()
    }

    /// The same, the halt file left out.
    pub fn is_halted_without_file(&self) -> bool {
        self.holds.request || self.whole.catalog.halts().iter().any(LocatedHalt::holds_everything)
    }

    /// The revision to name in an answer to a client that runs `running`; `None` while no answer may be given, since
    /// it could be older than what the client runs.
    ///
    /// A client sends back what it was told last. So an answer that a hold has emptied, which is given at once
    /// wherever this replica stands, names what the client runs unless this replica is at least as new.
    pub fn revision_for<'a>(&'a self, running: &'a Revision) -> Option<&'a Revision> {
        let Whole { revision, ancestry, .. } = &self.whole;
        if self.holds.any() {
            return Some(if ancestry.lacks(running.as_str()) { running } else { revision });
        }
        (!ancestry.is_behind(running.as_str())).then_some(revision)
    }

    /// The catalog that reports describe: the whole one under a halt, since it returns as it is; an empty one
    /// after a withdrawal, since another commit may follow.
    pub fn reported(&self) -> Arc<Catalog> {
        if self.holds.withdrawn.is_some() { Arc::default() } else { Arc::clone(&self.whole.catalog) }
    }

    /// The names of the policies that reports describe. They are put together once: each poll may look some up.
    pub fn names(&self) -> &HashSet<Box<str>> {
        let name = |known: &LocatedPolicy| known.entry.policy.name.as_str().into();
        self.names.get_or_init(|| self.reported().policies().iter().map(name).collect())
    }
}

impl Body {
    /// The body of `published`, whose policies in force are `active`.
    pub(super) fn of(active: &ActiveSet, published: &Arc<Published>, variant: &Variant) -> Self {
        let Variant { scope, format } = variant;
        let bytes = active.snapshot(scope).encode(*format);
        let (digest, published) = (Digest::of(&bytes), Arc::clone(published));
        Self { format: *format, digest, bytes: bytes.into(), published }
    }

    /// The revision that the bytes are of.
    pub fn revision(&self) -> &Revision {
        &self.published.whole.revision
    }
}
