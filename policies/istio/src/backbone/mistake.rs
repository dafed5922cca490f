//! Mistakes, before both versions are compared.

use crate::finding::Finding;

/// A mistake by one version's schema.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) rule: &'static str,
    pub(super) field: String,
    pub(super) reason: String,
    pub(super) right: String,
}

impl Mistake {
    /// That of the same mistake in another version, whose limits may differ.
    pub(super) fn id(&self) -> (&'static str, &str) {
        (self.rule, &self.field)
    }

    pub(super) fn finding(&self) -> Finding {
        Finding::error(self.rule, &self.field, &self.reason).right(&self.right)
    }

    pub(super) fn in_one_version(&self, version: &str, other: &str) -> Finding {
        let reason = format!("{} in Istio {version}; Istio {other} takes it", self.reason);
        Finding::warning(self.rule, &self.field, reason)
    }
}
