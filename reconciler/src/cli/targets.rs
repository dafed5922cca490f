//! What a policy does, and to whom, in words.

use crate::api::{
    first_generation::FaultType,
    policy_status::{Selector, Targets},
};

/// The workloads of a policy: `checkout.shop`, or `frontend.shop -> orders.shop`.
pub(crate) fn target(Targets { destination, selector, .. }: &Targets) -> String {
    match destination {
        Some(destination) => format!("{} -> {}", workloads(selector), workloads(destination)),
        None => workloads(selector),
    }
}

fn workloads(Selector { host, namespace, service }: &Selector) -> String {
    match (host, service) {
        (Some(host), _) if namespace == "*" => host.clone(),
        (Some(host), _) => format!("{host} in {namespace}"),
        (None, service) => format!("{}.{namespace}", service.as_deref().unwrap_or("*")),
    }
}

/// The actions of a policy: `abort,delay`.
pub(crate) fn faults(types: &[FaultType]) -> String {
    let name = |fault: &FaultType| match fault {
        FaultType::Abort => "abort",
        FaultType::Delay => "delay",
        FaultType::Unknown => "unknown",
    };
    types.iter().map(name).collect::<Vec<_>>().join(",")
}
