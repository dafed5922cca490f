//! Istio: the manifests of its charts, istiod, and what istiod says of itself.

mod istiod;
mod manifests;
mod metrics;

pub(crate) use istiod::Istiod;
pub(crate) use metrics::Metrics;
