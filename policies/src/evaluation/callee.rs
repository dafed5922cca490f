//! The callee of a request: a host, and the service that it is, if it is one of the mesh.

use crate::language::Destination;

/// A host that a request is for.
#[derive(Debug)]
pub(crate) struct Callee {
    /// In lower case, without port and final dot.
    pub(super) host: String,
    /// Its service and namespace, if it is a service of the mesh.
    pub(super) service: Option<(String, String)>,
}

impl Callee {
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Its service and namespace, if it is a service of the mesh.
    pub(crate) fn service(&self) -> Option<(&str, &str)> {
        self.service.as_ref().map(|(service, namespace)| (service.as_str(), namespace.as_str()))
    }

    /// True if a destination means it.
    pub(crate) fn is_meant_by(&self, destination: &Destination) -> bool {
        match destination {
            Destination::Service { service, namespace } => {
                self.service().is_some_and(|(name, its_namespace)| {
                    service.matches(name) && namespace.matches(its_namespace)
                })
            }
            Destination::Host(host) => host.matches(&self.host),
        }
    }
}
