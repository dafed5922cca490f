//! What is not right.

use super::facts::{Facts, KnownFilter};
use crate::{
    api::{
        filters::FilterState,
        overview::{
            Listed,
            trouble::{FilterInTrouble, PolicyInTrouble, Rejected, Trouble},
        },
        policy_status::{NoProxy, PolicyState, PolicyStatus},
    },
    fleet::filters::Filter,
};

/// The most files, policies or filters of a kind that are listed.
const MAX_LISTED: usize = 20;
/// The most errors of a file that are listed.
const MAX_ERRORS: usize = 5;

pub(super) fn trouble(facts: &Facts) -> Trouble {
    // As long as nobody polls at all, no status says so.
    let nobody_polls = facts.filters.is_empty() && facts.replicas.know_all_filters();
    let no_filter = |policy: &PolicyStatus| match policy.state {
        // It is not in force.
        _ if facts.are_held() => None,
        PolicyState::Active if nobody_polls => Some("no filter polls at all".to_owned()),
        _ => no_filter(policy),
    };
    let policies = |reason: &dyn Fn(&PolicyStatus) -> Option<String>| {
        let policies = facts.policies.iter().map(|known| &known.status);
        let all = policies.filter_map(|policy| Some((policy, reason(policy)?)));
        Listed::first_of(MAX_LISTED, all, |(policy, reason)| PolicyInTrouble {
            file: policy.file.clone(),
            line: policy.line,
            name: policy.name.clone(),
            reason,
        })
    };
    let filters = |state| {
        let all = facts.filters.iter().map(|KnownFilter { filter, .. }| filter);
        Listed::first_of(MAX_LISTED, all.filter(|filter| filter.state == state), in_trouble)
    };
    let rejected = facts.rejected.iter();
    Trouble {
        gone: filters(FilterState::Gone),
        inactive: policies(&inactive),
        lagging: filters(FilterState::Lagging),
        no_filter: policies(&no_filter),
        rejected: Listed::first_of(MAX_LISTED, rejected, |rejected| Rejected {
            errors: Listed::first_of(MAX_ERRORS, rejected.errors.iter(), Clone::clone),
            file: rejected.file.clone(),
        }),
    }
}

fn in_trouble(filter: &Filter) -> FilterInTrouble {
    FilterInTrouble {
        last_contact: filter.contact.into(),
        namespace: filter.namespaces(),
        node: filter.node.as_str().to_owned(),
        service: filter.services(),
    }
}

fn inactive(policy: &PolicyStatus) -> Option<String> {
    let of_namespace = policy.warnings.iter().find(|warning| warning.field == "spec.selector.namespace");
    let reason =
        of_namespace.map_or("its namespace is not in the cluster", |warning| warning.message.as_str());
    (policy.state == PolicyState::Inactive).then(|| reason.to_owned())
}

fn no_filter(policy: &PolicyStatus) -> Option<String> {
    let NoProxy { nearest } = policy.no_proxy.as_ref()?;
    Some(match nearest.as_slice() {
        [] => "no filter polls for it".to_owned(),
        nearest => format!("no filter polls for it; the nearest that poll: {}", nearest.join(", ")),
    })
}
