//! Problems of Istio, for our purposes.

use super::{Finding, inventory::Inventory};

pub(super) fn findings(inventory: &Inventory) -> Option<Finding> {
    inventory.istio.version.is_none().then(|| {
        Finding::error(
            "Istio",
            "no istiod was found",
            "install Istio, or say in which namespace it is with --istio-namespace",
        )
    })
}
