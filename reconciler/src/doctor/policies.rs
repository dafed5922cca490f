//! Policies that no proxy runs.

use super::{
    Finding,
    inventory::{Answer, Inventory},
    selection::policies,
};
use crate::api::policy_status::{NoProxy, PolicyStatus};

pub(super) fn findings(inventory: &Inventory) -> Vec<Finding> {
    let Some(first) = inventory.answers().next().filter(|_| inventory.has_heard_all()) else {
        return Vec::new();
    };
    let idle = first.status.policies.iter().filter_map(|policy| Some((policy, idle(policy, inventory)?)));
    idle.map(|(policy, NoProxy { nearest })| {
        let next = match nearest.as_slice() {
            [] => "correct its selector, or apply a WasmPlugin where it should be in force".to_owned(),
            names => format!(
                "correct its selector: the nearest workloads whose proxies poll are {}",
                names.join(", ")
            ),
        };
        Finding::warning(format!("policy {}", policy.name), "is run by no proxy: none polls for it", next)
    })
    .collect()
}

/// The nearest names, if every replica says that no proxy polls for a policy, and no pod is there that it selects:
/// the finding about that pod says more.
fn idle<'a>(policy: &'a PolicyStatus, inventory: &Inventory) -> Option<&'a NoProxy> {
    let says = |answer: &Answer| {
        answer.status.policies.iter().any(|known| known.name == policy.name && known.no_proxy.is_some())
    };
    let is_selected = || {
        let mut pods = inventory.pods.iter();
        pods.any(|pod| policies(pod, inventory).any(|known| known.name == policy.name))
    };
    policy.no_proxy.as_ref().filter(|_| inventory.answers().all(says) && !is_selected())
}
