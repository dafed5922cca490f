//! The objects beside the resources of Istio that these refer to.
//!
//! A repository seldom holds all of them. Rules take what is here for complete where there is some of it in a
//! namespace, and say nothing where there is none.

mod object;
mod pods;
mod service;
mod waypoint;

use policies::language::ClusterDomain;

pub(crate) use self::object::KINDS;
pub use self::{
    object::Object,
    pods::PodTemplate,
    service::{Service, ServicePort, TargetPort},
    waypoint::{ServesService, Waypoint, Waypoints},
};
use crate::values::LabelPairs;

/// The objects of Kubernetes that a repository holds, and settings of the mesh.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub cluster_domain: ClusterDomain,
    /// The namespace whose resources hold for the whole mesh.
    pub root_namespace: String,
    /// The host of hfi's control plane, where proxies fetch policies.
    pub control_plane: Option<String>,
    pub services: Vec<Service>,
    pub namespaces: Vec<Namespace>,
    pub pods: Vec<PodTemplate>,
    pub secrets: Vec<Named>,
    /// Gateways of the Gateway API.
    pub gateways: Vec<Named>,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            cluster_domain: ClusterDomain::default(),
            root_namespace: "istio-system".to_owned(),
            control_plane: None,
            services: Vec::new(),
            namespaces: Vec::new(),
            pods: Vec::new(),
            secrets: Vec::new(),
            gateways: Vec::new(),
        }
    }
}

/// A namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    pub name: String,
    pub labels: LabelPairs,
}

/// The name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    pub namespace: String,
    pub name: String,
}
