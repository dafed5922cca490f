//! The namespaces that are believed: no error of one tenant is for what another one says of his own.

use super::Known;

impl Known<'_> {
    /// True if a namespace is this one, or the root namespace.
    pub(in crate::rules::across) fn is_own(&self, namespace: &str, own: &str) -> bool {
        namespace == own || namespace == self.around.root_namespace
    }

    /// True if a namespace says what a full host is for the callers of another one. A service is its namespace's.
    pub(in crate::rules::across) fn speaks_for(&self, namespace: &str, host: &str, own: &str) -> bool {
        self.is_own(namespace, own) || self.namespace_of(host) == Some(namespace)
    }
}
