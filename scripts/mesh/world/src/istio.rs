//! Istio: the manifests of its charts, istiod, and what istiod says of itself.

mod debugging;
mod istiod;
mod manifests;
mod metrics;
mod waypoint;

pub(crate) use debugging::shows;
pub(crate) use istiod::Istiod;
pub(crate) use metrics::Metrics;
pub(crate) use waypoint::without_metadata;
