//! Decisions about all namespaces together. What one of them keeps, for want of consent or for the name of an object, the
//! rules over several resources have not seen.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ApplicationId, Artifact, Consent, Decision, Named, Namespaces, Objects, Proposal, Proposed, RenderCache,
    all_free, decide, proposals,
};

/// The turns that may hold a part of a namespace. The last of them holds all of it.
const EXACT: usize = 4;

/// The turns that hold something until all that may depend on what is held stays too.
const MOST: usize = 16;

/// What is decided about a namespace.
pub(super) struct Decided {
    pub(super) decision: Decision,
    /// The limit for removals of the Guardrails at the commit.
    pub(super) max_removals: Option<usize>,
    /// The objects that it does not have yet.
    pub(super) new: BTreeSet<Named>,
    /// The archive, if it is another one.
    pub(super) artifact: Option<Artifact>,
    /// The reason why it stays as a whole.
    pub(super) stays: Option<String>,
}

/// Decides about all namespaces, and judges the commit again as long as something stays that its applications were not
/// judged beside. What is held once is held in each turn after it, and all of a namespace is held by the fourth turn that
/// holds something of it. After 16 turns, ties say at once what the next ones would hold. A turn that they do not know of
/// holds one more namespace as a whole, so there is an end. `before` is what is in force, and beside it what applications of
/// other namespaces last had.
pub(super) fn decisions(
    before: &BTreeMap<&String, &Objects>,
    in_force: &Namespaces<Objects>,
    proposed: &Proposed<'_>,
    consents: &Namespaces<Consent>,
    cache: &mut RenderCache,
) -> Namespaces<Decided> {
    let (none, no_consent) = (Objects::default(), Consent::default());
    let max_removals = proposed.applications.max_removals();
    let mut held = BTreeMap::<ApplicationId, String>::new();
    let mut stay = Namespaces::<String>::new();
    let mut turns = Namespaces::<usize>::new();
    let mut turn = 0;
    loop {
        turn += 1;
        #[cfg(test)]
        tests::TURNS.set(turn);
        let is_along = turn > MOST;
        let (mut decisions, held_before) = (BTreeMap::new(), held.len());
        let (proposals, mut new) = proposals(before, proposed, &held, is_along, cache);
        for (namespace, proposal) in proposals {
            let before = before.get(&namespace).copied().unwrap_or(&none);
            let consent = consents.get(&namespace).unwrap_or(&no_consent);
            // The stricter of the guardrails at this commit and of those in force.
            let limit = consent.limit.into_iter().chain(max_removals.get(&namespace).copied()).min();
            let consent = Consent { limit, ..*consent };
            let decision = decide(before, &proposal, &consent);
            let mut more = more(&decision, &proposal);
            if let Some(why) = more.values().next().cloned() {
                let turns = turns.entry(namespace.clone()).or_default();
                *turns += 1;
                if *turns >= EXACT || is_along {
                    more = all_free(before, &proposal, &why);
                }
            }
            held.extend(more.into_iter().map(|(name, why)| ((namespace.clone(), name), why)));
            decisions.insert(namespace, decision);
        }
        if held.len() > held_before {
            continue;
        }
        let (mut artifacts, stay_before) = (BTreeMap::new(), stay.len());
        for (namespace, decision) in &decisions {
            if stay.contains_key(namespace) {
                continue;
            }
            match changed(decision, in_force.get(namespace).unwrap_or(&none), proposed.stay.get(namespace)) {
                Ok(artifact) => artifacts.extend(artifact.map(|artifact| (namespace.clone(), artifact))),
                Err(why) => {
                    let before = before.get(namespace).copied().unwrap_or(&none);
                    // Also those that are refused: beside what stays they might be right.
                    let all = before.applications().chain(decision.objects.applications());
                    let all = all.map(|(name, _)| name).chain(decision.frozen.keys());
                    held.extend(all.map(|name| {
                        let why = decision.frozen.get(name).unwrap_or(&why);
                        ((namespace.clone(), name.clone()), why.clone())
                    }));
                    stay.insert(namespace.clone(), why);
                }
            }
        }
        if stay.len() == stay_before {
            let decided = |(namespace, decision): (String, Decision)| {
                let max_removals = max_removals.get(&namespace).copied();
                let new = new.remove(&namespace).unwrap_or_default();
                let (artifact, stays) = (artifacts.remove(&namespace), stay.remove(&namespace));
                (namespace, Decided { decision, max_removals, new, artifact, stays })
            };
            return decisions.into_iter().map(decided).collect();
        }
    }
}

/// The archive of a namespace that changes, or the reason why it must not.
fn changed(
    decision: &Decision,
    in_force: &Objects,
    stays: Option<&String>,
) -> Result<Option<Artifact>, String> {
    if decision.objects.are_written_as(in_force) {
        return Ok(None);
    }
    let archive = || Artifact::of(&decision.objects).map_err(|error| error.to_string());
    stays.map_or_else(|| archive().map(Some), |why| Err(why.clone()))
}

/// The applications that stay as they are though nothing is wrong with them.
fn more(decision: &Decision, proposal: &Proposal) -> BTreeMap<String, String> {
    let frozen = decision.frozen.iter().filter(|(name, _)| proposal.is_free(name));
    frozen.map(|(name, why)| (name.clone(), why.clone())).collect()
}
