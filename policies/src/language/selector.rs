//! The workloads at which a policy injects.

use std::fmt;

use super::values::{Glob, Host};

/// Names of workloads at which a policy injects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selector {
    pub target: Target,
    /// The namespace of a service; for a host, one that its waypoint serves.
    pub namespace: Glob,
}

/// The names of the workloads, without their namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Workloads or services of the mesh.
    Service(Glob),
    /// Hosts outside the mesh, at the waypoints that their ServiceEntries are bound to.
    Host(Host),
}

impl Selector {
    /// The selector that selects everything.
    pub fn any() -> Self {
        Self { target: Target::Service(Glob::any()), namespace: Glob::any() }
    }

    /// The one service that it selects by its name.
    #[cfg(feature = "authoring")]
    pub(crate) fn one_service(&self) -> Option<&str> {
        match &self.target {
            Target::Service(service) => service.exact(),
            Target::Host(_) => None,
        }
    }

    /// True if it selects everything that the other one does.
    #[cfg(feature = "authoring")]
    pub(crate) fn includes(&self, other: &Self) -> bool {
        let Self { target, namespace } = self;
        let includes_target = match (target, &other.target) {
            (Target::Service(ours), Target::Service(theirs)) => ours.includes(theirs),
            (Target::Host(ours), Target::Host(theirs)) => ours.includes(theirs),
            // The namespace of a host is not known, so only what selects everything selects it too.
            (Target::Service(_), Target::Host(_)) => *self == Self::any(),
            (Target::Host(_), Target::Service(_)) => false,
        };
        includes_target && namespace.includes(&other.namespace)
    }
}

impl Target {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Service(service) => service.as_str(),
            Self::Host(host) => host.as_str(),
        }
    }

    /// True if this glob of services includes it. The name of a host says nothing of services: it is within what
    /// includes all of them.
    #[cfg(feature = "authoring")]
    pub(crate) fn is_within(&self, services: &Glob) -> bool {
        match self {
            Self::Service(service) => services.includes(service),
            Self::Host(_) => services.is_any(),
        }
    }

    /// True if it is a host outside the mesh.
    pub fn is_host(&self) -> bool {
        matches!(self, Self::Host(_))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
