//! The plan of a commit.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::{
    agreement::{agreements, now},
    annotation,
    earlier::Earlier,
    last_documents::LastDocuments,
    lookback::Looked,
    order::{Known, Order},
    unplanned,
    ways::Ways,
};
use crate::{
    istio::{
        applications::Applications,
        artifact::ArtifactError,
        had::refused,
        objects::Objects,
        plan::{
            ApplicationId, Commit, InForce, Namespaces, Plan, Proposed, RenderCache, Resource, Setting,
            freeze, plan,
        },
        successors::Doubtful,
    },
    source::SourceError,
    version,
};

/// The facts of the last plan, by which the next one is made with less work.
#[derive(Debug, Default)]
pub(super) struct Memory {
    earlier: Earlier,
    last_documents: LastDocuments,
    cache: RenderCache,
}

/// Plans what a commit with these applications changes. Blocks.
pub(super) fn planned(
    order: &Order,
    applications: &Applications,
    setting: &Setting,
    Memory { earlier, last_documents, cache }: &mut Memory,
) -> Result<Namespaces<Plan>, SourceError> {
    let Order { commits, commit: head, withdrawn, allowed, known, foreign, .. } = order;
    let in_force: Namespaces<&InForce> = known
        .iter()
        .filter_map(|(namespace, known)| Some((namespace.clone(), known.as_ref().ok()?)))
        .collect();
    let unpack =
        |(namespace, in_force): (&String, &&InForce)| Ok((namespace.clone(), in_force.artifact.objects()?));
    let objects: Result<Namespaces<Objects>, ArtifactError> = in_force.iter().map(unpack).collect();
    // It could be read when it was found.
    let objects = objects.map_err(|error| SourceError(error.to_string()))?;
    let ways = if withdrawn.is_none() { Ways::of(order)? } else { Ways::default() };
    let mut plans = match withdrawn {
        Some(reason) => freeze(&objects, reason),
        None => {
            let commit = commit(order)?;
            let agreements = agreements(&commit, &ways, &in_force, allowed);
            let consents = agreements.iter().map(|(namespace, agreed)| (namespace.clone(), agreed.consent));
            let consents = consents.collect();
            let stay = agreements.iter().filter_map(|(name, agreed)| Some((name.clone(), agreed.why_not()?)));
            let mut stay: Namespaces<String> = stay.collect();
            let doubtful = Doubtful::of(&objects, applications);
            let last = last_documents.of(*head, &applications.guarded, doubtful.missed(), commits);
            let successors = &doubtful.successors(last.found, applications);
            let plan = |earlier: &Namespaces<Objects>, stay: &Namespaces<String>, cache: &mut RenderCache| {
                let renderer = version::text();
                let proposed =
                    Proposed { applications, commit: &commit, renderer, setting, foreign, stay, successors };
                plan(&objects, earlier, &proposed, &consents, cache)
            };
            let mut plans = plan(&Namespaces::new(), &stay, cache);
            let wanted = without_artifact(&plans, known);
            let Looked { found, unknown } =
                earlier.valid(*head, &applications.guarded, &wanted, commits, setting);
            let unknown = unknown.into_iter().map(|((namespace, _), error)| {
                (namespace, format!("what its invalid applications had last is not known: {error}"))
            });
            let unknown: Namespaces<String> = unknown.collect();
            stay.extend(unknown.clone());
            let refused = refused(&found, applications, &objects, setting);
            let is_other = !unknown.is_empty() || !refused.is_empty();
            let found = found.into_iter().filter(|(id, _)| !refused.contains_key(id));
            let found = by_namespace(found.map(|(id, had)| (id, had.objects)));
            stay.extend(refused.into_iter().map(|((namespace, name), why)| {
                let reason = format!(
                    "{name} is invalid, and its last valid document is refused beside what is in force: {why}; correct {name}, or write `remove: true`"
                );
                (namespace, reason)
            }));
            if is_other || !found.is_empty() {
                plans = plan(&found, &stay, cache);
            }
            for (namespace, reason) in unknown {
                let plan = plans.entry(namespace).or_default();
                plan.failure = Some(reason.clone());
                plan.freeze(reason);
            }
            for ((namespace, name), error) in last.unknown {
                let plan = plans.entry(namespace).or_default();
                plan.failure.get_or_insert(format!("the last document of {name} is not known: {error}"));
            }
            for (namespace, agreement) in &agreements {
                let (Some(known), Some(plan)) = (in_force.get(namespace), plans.get_mut(namespace)) else {
                    continue;
                };
                match &agreement.history {
                    Err(error) => *plan = Plan::failed(error.to_string()),
                    Ok(_) if agreement.why_not().is_some() => {
                        plan.advice = plan.is_frozen().then(|| unplanned::going_back(&commit));
                    }
                    Ok(history) => plan.record(known, &commit, history.messages),
                }
            }
            plans
        }
    };
    let is_whole = applications.unreadable().is_none() && !applications.files.is_empty();
    for (namespace, known) in known {
        let Err(reason) = known else { continue };
        let plan = plans.entry(namespace.clone()).or_default();
        let is_allowed = allowed.get(namespace) == Some(&head.to_string());
        if plan.next.is_none() && plan.frozen.is_empty() && is_allowed {
            plan.next = Some(unplanned::empty(commit(order)?)?);
        }
        if !is_allowed || withdrawn.is_some() || !is_whole || plan.next.is_none() {
            *plan = unplanned::unknown(reason, plan, order, applications);
        }
    }
    for (namespace, allowed) in allowed {
        let Some(plan) = plans.get_mut(namespace) else { continue };
        plan.ends_annotation = annotation::end(namespace, allowed, plan, order, &ways, is_whole);
    }
    Ok(plans)
}

/// The newest commit. Whoever makes a commit sets its time. One in the future counts as now: otherwise all that follow would
/// be older.
fn commit(Order { commits, commit, .. }: &Order) -> Result<Commit, SourceError> {
    let at = commits.committed_at(*commit)?.min(now());
    Ok(Commit { id: commit.to_string(), at: at.to_rfc3339() })
}

/// The applications that are invalid now, of namespaces where no artifact says what is in force.
fn without_artifact(plans: &Namespaces<Plan>, known: &Known) -> BTreeSet<ApplicationId> {
    let new = plans.iter().filter(|(namespace, _)| known.get(*namespace).is_none_or(Result::is_err));
    let frozen =
        new.flat_map(|(namespace, plan)| plan.frozen_applications().map(move |name| (namespace, name)));
    frozen.map(|(namespace, name)| (namespace.clone(), name.clone())).collect()
}

/// The objects of each namespace.
fn by_namespace(found: impl Iterator<Item = (ApplicationId, Vec<Resource>)>) -> Namespaces<Objects> {
    let mut namespaces = Namespaces::<Objects>::new();
    for ((namespace, name), objects) in found {
        namespaces.entry(namespace).or_default().set(&name, objects);
    }
    namespaces
}
