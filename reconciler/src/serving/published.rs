//! The values that are served.

use std::sync::Arc;

use bytes::Bytes;
use policies::{Catalog, Digest, Scope, Timestamp, repository::ActiveSet, wire::Format};

use crate::source::{Revision, ancestry::Lineage};

/// A catalog and where it comes from.
#[derive(Clone, Debug)]
pub struct Published {
    pub revision: Revision,
    pub lineage: Lineage,
    /// Empty while [halted](crate::serving::gate).
    pub catalog: Arc<Catalog>,
    pub halted: bool,
    /// The reason why the catalog is empty although the revision is not: nobody who may sign has signed it.
    pub withdrawn: Option<String>,
    /// The instant by which it is decided which policies of the catalog are active.
    pub at: Timestamp,
}

/// A [`Published`], or the reason why there is none yet.
#[derive(Clone, Debug)]
pub enum Publication {
    Starting { reason: String },
    Serving(Arc<Published>),
}

/// The snapshot of one scope.
#[derive(Clone, Debug)]
pub struct Body {
    pub bytes: Bytes,
    pub digest: Digest,
    pub revision: Revision,
}

impl Published {
    /// The same revision with no policies, and the reason.
    pub fn withdrawn(&self, reason: String) -> Self {
        let Self { revision, lineage, .. } = self.clone();
        let withdrawn = Some(reason);
        Self { revision, lineage, catalog: Arc::default(), halted: false, withdrawn, at: self.at }
    }

    /// Whether nothing is injected, whatever the source says.
    pub fn is_stopped(&self) -> bool {
        self.halted || self.withdrawn.is_some()
    }
}

impl Body {
    pub(super) fn of(active: &ActiveSet, revision: &Revision, scope: &Scope) -> Self {
        let bytes = active.snapshot(scope).encode(Format::V1);
        Self { digest: Digest::of(&bytes), bytes: bytes.into(), revision: revision.clone() }
    }
}
