//! Opinions about AuthorizationPolicies.

/// The ServiceAccount of a waypoint that no label names, as `istioctl waypoint apply` names it.
pub const WAYPOINT: &str = "waypoint";

/// The annotation by which a policy only writes down what it would do.
pub const DRY_RUN: (&str, &str) = ("istio.io/dry-run", "true");

/// The most service accounts that Istio takes in one source.
pub const ACCOUNTS_OF_SOURCE: usize = 16;
