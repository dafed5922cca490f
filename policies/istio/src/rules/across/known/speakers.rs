//! The namespaces whose objects may make a resource of another namespace an error. What others write is a warning there.

use super::Known;

impl Known<'_> {
    /// True if a namespace is this one, or the root namespace.
    pub(in crate::rules::across) fn is_own(&self, namespace: &str, own: &str) -> bool {
        namespace == own || namespace == self.around.root_namespace
    }

    /// True if a namespace says what a full host is for the callers of another one: `is_own`, or it is that of the service.
    pub(in crate::rules::across) fn speaks_for(&self, namespace: &str, host: &str, own: &str) -> bool {
        self.is_own(namespace, own) || self.namespace_of(host) == Some(namespace)
    }
}
