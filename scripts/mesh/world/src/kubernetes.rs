//! The control plane of Kubernetes: its credentials, its programs, and kubectl.

mod control_plane;
mod credentials;
mod kubectl;

pub(crate) use control_plane::ControlPlane;
pub(crate) use kubectl::Kubectl;
