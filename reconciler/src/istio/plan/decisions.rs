//! Decisions about all namespaces together. What one of them keeps, for want of consent or for the name of an object, the
//! rules over several resources have not seen.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ApplicationId, Consent, Decision, Named, Namespaces, Objects, Proposal, Proposed, RenderCache, decide,
    proposals,
};

/// The most times that a commit is judged until whole namespaces stay as they are.
const EXACT: usize = 4;

/// Decides about all namespaces, and judges the commit again as long as something stays that its applications were not
/// judged beside. What is held once is held in each turn after it, and from some turn on all of its namespace, so there is
/// an end. Also answers what is new.
pub(super) fn decisions(
    before: &BTreeMap<&String, &Objects>,
    proposed: &Proposed<'_>,
    consents: &Namespaces<Consent>,
    cache: &mut RenderCache,
) -> (Namespaces<Decision>, Namespaces<BTreeSet<Named>>) {
    let (none, no_consent) = (Objects::default(), Consent::default());
    let mut held = BTreeMap::<ApplicationId, String>::new();
    let mut turn = 0;
    loop {
        turn += 1;
        let (mut decisions, held_before) = (BTreeMap::new(), held.len());
        let (proposals, new) = proposals(before, proposed, &held, cache);
        for (namespace, proposal) in proposals {
            let before = before.get(&namespace).copied().unwrap_or(&none);
            let consent = consents.get(&namespace).unwrap_or(&no_consent);
            // The stricter of the guardrails at this commit and of those in force.
            let limit = proposed.applications.max_removals(&namespace);
            let consent = Consent { limit: consent.limit.into_iter().chain(limit).min(), ..*consent };
            let decision = decide(before, &proposal, &consent);
            let mut more = more(&decision, &proposal);
            if turn >= EXACT
                && let Some(why) = more.values().next().cloned()
            {
                more = whole(before, &proposal, &why);
            }
            held.extend(more.into_iter().map(|(name, why)| ((namespace.clone(), name), why)));
            decisions.insert(namespace, decision);
        }
        if held.len() == held_before {
            return (decisions, new);
        }
    }
}

/// The applications that stay as they are though nothing is wrong with them.
fn more(decision: &Decision, proposal: &Proposal) -> BTreeMap<String, String> {
    let frozen = decision.frozen.iter().filter(|(name, _)| is_free(proposal, name));
    frozen.map(|(name, why)| (name.clone(), why.clone())).collect()
}

/// All applications of a namespace that do not stay as they are yet.
fn whole(before: &Objects, proposal: &Proposal, why: &str) -> BTreeMap<String, String> {
    let known = before.applications().map(|(name, _)| name).chain(proposal.applications.keys());
    let free = known.filter(|name| is_free(proposal, name) && !proposal.removed.contains(*name));
    free.map(|name| (name.clone(), why.to_owned())).collect()
}

fn is_free(proposal: &Proposal, name: &str) -> bool {
    !matches!(proposal.applications.get(name), Some(Err(_)))
}
