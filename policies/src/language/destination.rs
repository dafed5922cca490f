//! The callees that a policy for outbound requests is about.

use super::values::{Glob, Host};

/// Callees: services of the mesh, or hosts outside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// Services, by their names.
    Service { service: Glob, namespace: Glob },
    /// Hosts, by their whole names.
    Host(Host),
}

impl Destination {
    /// Every callee, also one that is not known.
    pub fn any() -> Self {
        Self::Service { service: Glob::any(), namespace: Glob::any() }
    }

    /// True if it is every callee, also one that is not known.
    pub fn is_any(&self) -> bool {
        match self {
            Self::Service { service, namespace } => service.is_any() && namespace.is_any(),
            Self::Host(_) => false,
        }
    }

    /// True if it means every callee that the other one means.
    #[cfg(feature = "authoring")]
    pub(crate) fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (any, _) if any.is_any() => true,
            (
                Self::Service { service, namespace },
                Self::Service { service: other_service, namespace: other_namespace },
            ) => service.includes(other_service) && namespace.includes(other_namespace),
            (Self::Host(ours), Self::Host(theirs)) => ours.includes(theirs),
            (Self::Service { .. }, Self::Host(_)) | (Self::Host(_), Self::Service { .. }) => false,
        }
    }
}
