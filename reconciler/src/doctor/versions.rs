//! Versions that are older than hfi needs. `README.md` states the same.

use super::{Finding, inventory::Inventory};

/// The oldest Kubernetes whose `PodDisruptionBudget` takes `unhealthyPodEvictionPolicy`.
pub const KUBERNETES: (u32, u32) = (1, 27);
/// The oldest Istio that serves `security.istio.io/v1`, and whose `WasmPlugin` takes `targetRefs`, without which
/// no waypoint runs the filter.
pub const ISTIO: (u32, u32) = (1, 22);
/// The oldest Flux that verifies commits by SSH keys.
pub const FLUX: (u32, u32) = (2, 9);

pub(super) fn findings(inventory: &Inventory) -> Vec<Finding> {
    let Inventory { kubernetes, istio, flux, .. } = inventory;
    let is_old = |version: &Option<String>, least: (u32, u32)| {
        let version = version.clone()?;
        let is_old = numbers(&version)? < least;
        is_old.then_some(version)
    };
    let mut findings = Vec::new();
    if let Some(version) = is_old(kubernetes, KUBERNETES) {
        let (major, minor) = KUBERNETES;
        findings.push(Finding::warning(
            format!("Kubernetes {version}"),
            format!("is older than {major}.{minor}: it refuses the PodDisruptionBudget of the manifests"),
            "upgrade Kubernetes",
        ));
    }
    if let Some(version) = is_old(&istio.version, ISTIO) {
        let (major, minor) = ISTIO;
        let subject = format!("Istio {version}");
        let is_targeted = inventory.plugins.iter().any(|plugin| !plugin.spec.target_refs.is_empty());
        findings.push(if is_targeted {
            let message =
                format!("takes no `targetRefs` before {major}.{minor}: waypoints and gateways run no filter");
            Finding::error(subject, message, "upgrade Istio")
        } else {
            let message = format!(
                "is older than {major}.{minor}: it does not know all that the manifests for sidecars, waypoints \
                 and gateways use"
            );
            Finding::warning(subject, message, "upgrade Istio")
        });
    }
    if let Some(version) = is_old(flux, FLUX) {
        let (major, minor) = FLUX;
        findings.push(Finding::warning(
            format!("Flux {version}"),
            format!(
                "deploys the control plane and is older than {major}.{minor}: it does not verify commits by SSH \
                 keys"
            ),
            "upgrade Flux",
        ));
    }
    findings
}

/// Of `1.30.1`, `v1.36.3+k3s1` or `1.30-alpha`, the first two. A build without a version says `v0.0.0-master`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.strip_prefix('v').unwrap_or(version).split(['.', '-', '+']);
    let (major, minor) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (major > 0).then_some((major, minor))
}
