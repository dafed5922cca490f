//! Active policies that no proxy polls for.

use std::time::Duration;

use crate::{
    api::policy_status::{PolicyState, PolicyStatus},
    fleet::{gathered::SETTLED, shared::Others, workloads::Workloads},
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
    let own = served.services.filters.scopes();
    if let Some(others) = others {
        let listening = others.listening.unwrap_or(Duration::MAX);
        let have_settled = listening.min(served.services.filters.listening()) >= SETTLED;
        let scopes = || others.sightings.iter().map(|sighting| sighting.variant.scope.clone());
        return (others.is_complete && have_settled).then(|| own.into_iter().chain(scopes()).collect());
    }
    let Some(cluster) = cluster else { return Some(own.into_iter().collect()) };
    let gathered = cluster.gathered.as_ref()?;
    (gathered.listening >= SETTLED).then(|| own.into_iter().chain(gathered.scopes.iter().cloned()).collect())
}
