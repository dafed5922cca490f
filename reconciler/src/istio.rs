//! The Istio configuration of applications, on its way into the cluster (`tar`, `flate2`). Pure: no I/O, no clock.
//!
//! hfi renders, and Flux applies. A namespace has an artifact with all its objects; what an artifact says is in force.
//!
//! - [`objects`]: the objects of namespaces, by application.
//! - [`guarded`]: the guardrails that limit applications; [`applications`]: those of a commit, as they are written.
//! - [`archive`]: files as a `tar.gz` that is the same everywhere, and back.
//! - [`artifact`]: the archive of a namespace, and its digest.
//! - [`archives`]: the archives that are served.
//! - [`foreign`]: objects of the cluster that others may have made.
//! - [`consent`]: the removals that people have agreed to.
//! - [`successors`]: new applications that may be others under another name.
//! - [`decision`]: what a namespace gets at a new commit, and what stays as it is; [`plan`]: the same for all namespaces.

pub mod applications;
pub mod archive;
pub mod archives;
pub mod artifact;
pub mod consent;
pub mod decision;
pub mod foreign;
pub mod guarded;
pub mod had;
pub mod objects;
pub mod plan;
pub mod successors;
