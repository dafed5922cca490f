//! Diagnoses an installation in a cluster: the problems, and the next step for each.
//!
//! - [`inventory`]: what was found there, as a value; reading it is somebody else's.
//! - `heard`: what the replicas have heard of the filter of a pod.
//! - `kind`: the kind of a proxy, and the traffic that a plugin sees there.
//! - `selection`: which pods a plugin, a policy and a waypoint are for.
//! - `obstacle`: why a plugin never runs in a proxy that it is given to.
//! - `control_plane`, `plugins`, `policies`, `proxies`, `waypoints`, `istio`, [`versions`]: what is wrong with each.
//! - `artifacts`: the Kustomizations of Flux that apply what hfi renders.
//! - `next_steps`: what to do about a proxy that does not run the filter.

mod artifacts;
mod control_plane;
mod heard;
pub mod inventory;
mod istio;
mod kind;
mod next_steps;
mod obstacle;
mod plugins;
mod policies;
mod proxies;
mod selection;
pub mod versions;
mod waypoints;

use std::fmt;

use serde::Serialize;

use self::inventory::Inventory;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub severity: Severity,
    /// The object that it is about, such as `WasmPlugin shop/hfi`.
    pub subject: String,
    pub message: String,
    /// The next step.
    pub next: String,
}

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Faults do not come as the policies say, or traffic is in danger.
    Error,
    /// It works, and not as well as it could.
    Warning,
}

pub use self::proxies::{Covered, covered};
pub(crate) use self::selection::is_for;

/// All that is wrong, the worst first.
pub fn findings(inventory: &Inventory) -> Vec<Finding> {
    let mut findings = control_plane::findings(inventory);
    findings.extend(istio::findings(inventory));
    findings.extend(artifacts::findings(inventory));
    findings.extend(versions::findings(inventory));
    findings.extend(plugins::findings(inventory));
    // Without its answer nobody knows the policies, and who polls.
    if inventory.answers().next().is_some() {
        findings.extend(policies::findings(inventory));
        findings.extend(proxies::findings(inventory));
        findings.extend(waypoints::findings(inventory));
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}

impl Finding {
    fn error(subject: impl fmt::Display, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(Severity::Error, subject, message, next)
    }

    fn warning(subject: impl fmt::Display, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(Severity::Warning, subject, message, next)
    }

    fn new(
        severity: Severity,
        subject: impl fmt::Display,
        message: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { severity, subject: subject.to_string(), message: message.into(), next: next.into() }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}
