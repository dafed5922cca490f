//! The callers that a route is for.
//!
//! In the mesh a call keeps the port that it was made to. A Gateway listens at a port of its own, so its callers need
//! one of the service. Where an entry is for both, its routes to the service are there for each.

use crate::written::{Target, VirtualService};

/// The mesh as `gateways` has it.
pub(super) const MESH: &str = "mesh";

/// Callers, and the port of the service for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    /// Empty: all callers of the entry.
    pub(super) gateways: Vec<String>,
    /// Absent: the port of the call.
    pub(super) port: Option<u32>,
}

/// The sides of a route of an entry whose `gateways` have these names.
pub(super) fn of(target: &Target, service: &VirtualService, names: &[String]) -> Vec<Side> {
    let port = service.port.filter(|_| matches!(target, Target::Own | Target::Split(_)));
    match names {
        [] => vec![Side::default()],
        [mesh, gateways @ ..] if port.is_some() && mesh == MESH => {
            let in_mesh = Side { gateways: vec![MESH.to_owned()], port: None };
            vec![Side { gateways: gateways.to_vec(), port }, in_mesh]
        }
        _ => vec![Side { gateways: Vec::new(), port }],
    }
}
