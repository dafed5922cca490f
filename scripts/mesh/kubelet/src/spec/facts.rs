//! What the machine knows of a Pod and its spec does not say.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// The addresses of a Pod and of its Node, and what the Node has to give.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) pod_ip: Ipv4Addr,
    pub(crate) host_ip: Ipv4Addr,
    pub(crate) capacity: BTreeMap<String, Quantity>,
}

#[cfg(test)]
impl Facts {
    pub(crate) fn for_tests() -> Self {
        let capacity = [("cpu", "2"), ("memory", "4Gi")];
        let capacity = capacity.map(|(name, value)| (name.to_owned(), Quantity(value.to_owned())));
        Self { pod_ip: [10, 1, 0, 7].into(), host_ip: [10, 1, 0, 1].into(), capacity: capacity.into() }
    }
}
