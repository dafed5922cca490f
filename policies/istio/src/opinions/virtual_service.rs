//! Opinions about VirtualServices.

/// The annotation of an object whose weights something else in the cluster shifts: Flux then leaves its routes as
/// they are.
pub const EXTERNAL_WEIGHTS: (&str, &str) = ("hfi.dev/weights", "external");
