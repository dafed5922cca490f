//! The namespaces that see a resource.

use std::collections::BTreeSet;

use super::meetings::Names;
use crate::rules::subject::Subject;

/// The most combinations that are kept of one resource: of its hosts, its ports and the namespaces that see it. A file
/// has room for millions.
pub(super) const COMBINATIONS: usize = 1_000;

/// True if a resource is exported to its own namespace alone, or to none.
pub(crate) fn is_for_own_namespace(subject: &Subject) -> bool {
    let (own, names) = (&*subject.resource.namespace, subject.get("exportTo"));
    !names.is_empty() && names.texts().all(|(name, _)| [".", "~", own].contains(&name))
}

/// The name for all namespaces.
pub(in crate::rules::across) const ALL: &str = "*";

/// The namespaces that a resource of so many parts is exported to; `*` for all. One with too many combinations counts
/// as exported to all.
pub(in crate::rules::across) fn scope<'a>(subject: &Subject<'a>, parts: usize) -> BTreeSet<&'a str> {
    let (own, names) = (&*subject.resource.namespace, subject.get("exportTo"));
    if names.is_empty() {
        return BTreeSet::from([ALL]);
    }
    let names = names.texts().map(|(name, _)| if name == "." { own } else { name });
    let names: BTreeSet<_> = names.filter(|name| *name != "~").collect();
    if names.len().saturating_mul(parts) > COMBINATIONS { BTreeSet::from([ALL]) } else { names }
}

impl<'a> Names<&'a str> {
    /// The namespaces of a scope.
    pub(super) fn of(scope: BTreeSet<&'a str>) -> Self {
        if scope.contains(ALL) { Self::All } else { Self::Some(scope) }
    }
}
