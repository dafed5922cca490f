//! Active policies that no proxy polls for.

use crate::{
    api::policy_status::{PolicyState, PolicyStatus},
    fleet::{
        gathered::SETTLED,
        shared::{AllFilters, Others},
        workloads::Workloads,
    },
    http::state::Served,
    kubernetes::ClusterHealth,
    serving::published::Published,
};

/// Adds to each active policy whether no proxy polls for it, if that is known.
pub(super) fn tell(
    policies: &mut [PolicyStatus],
    published: &Published,
    served: &Served,
    cluster: Option<&ClusterHealth>,
    others: Option<&Others>,
) {
    let Some(workloads) = workloads(served, cluster, others) else { return };
    let catalog = published.reported();
    let active = policies.iter_mut().zip(catalog.policies());
    let mut active: Vec<_> = active.filter(|(policy, _)| policy.state == PolicyState::Active).collect();
    let selectors = active.iter().map(|(_, placed)| &placed.entry.policy.selector);
    let told = workloads.without_proxy(selectors).unwrap_or_default();
    for ((policy, _), told) in active.iter_mut().zip(told) {
        policy.no_proxy = told;
    }
}

/// The workloads that poll. With other replicas each hears only some of them: `None` until all are known.
fn workloads(served: &Served, cluster: Option<&ClusterHealth>, others: Option<&Others>) -> Option<Workloads> {
    let known = AllFilters::new(&served.services.filters, others);
    match (others, cluster) {
        (Some(_), _) => known.has_all().then(|| known.scopes().collect()),
        (None, Some(cluster)) => {
            let gathered = cluster.gathered.as_ref()?;
            let scopes = || known.scopes().chain(gathered.scopes.iter().cloned()).collect();
            (gathered.listening >= SETTLED).then(scopes)
        }
        // It has others that were not asked.
        (None, None) if served.services.peering.is_some() => None,
        (None, None) => Some(known.scopes().collect()),
    }
}
