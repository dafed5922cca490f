//! Problems of Istio, for our purposes.

use super::{Finding, inventory::Inventory};

/// The oldest Istio whose `WasmPlugin` takes `targetRefs`, without which no waypoint runs the filter.
const TARGET_REFS_SINCE: (u32, u32) = (1, 22);

pub(super) fn findings(inventory: &Inventory) -> Option<Finding> {
    let Some(version) = &inventory.istio.version else {
        return Some(Finding::error(
            "Istio",
            "no istiod was found",
            "install Istio, or say in which namespace it is with --istio-namespace",
        ));
    };
    let (major, minor) = TARGET_REFS_SINCE;
    let is_targeted = inventory.plugins.iter().any(|plugin| !plugin.spec.target_refs.is_empty());
    (is_targeted && numbers(version)? < TARGET_REFS_SINCE).then(|| {
        Finding::error(
            format!("Istio {version}"),
            format!("takes no `targetRefs` before {major}.{minor}: waypoints and gateways run no filter"),
            "upgrade Istio",
        )
    })
}

/// Of `1.30.1` or `1.30-alpha`, the first two.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}
