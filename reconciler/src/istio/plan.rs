//! The plan for all namespaces at a commit.

mod decisions;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use istio_config::Catalog;
pub use istio_config::{ApplicationId, RenderCache, Resource, Setting};
use serde::{Deserialize, Serialize};

use self::decisions::{Decided, decisions};
use super::{
    applications::Applications,
    artifact::Artifact,
    consent::Consent,
    decision::{Decision, Proposal, all_free, decide},
    foreign::{Foreign, Named, by_namespace},
    objects::Objects,
    successors::Successors,
};

/// What is in force in a namespace, and since which commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// The objects are in it alone: unpacked they would take much memory.
    pub artifact: Artifact,
    /// The number of objects.
    pub objects: usize,
    pub commit: Commit,
    /// The version of hfi that rendered it.
    pub renderer: String,
    /// The limit for removals of its Guardrails.
    pub max_removals: Option<usize>,
    /// The commit up to which the consent of messages is used up. It may be newer than `commit`.
    pub judged: Commit,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    pub id: String,
    /// The time of the committer (RFC 3339).
    pub at: String,
}

/// The plan for a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What is to be in force, if it is something else.
    pub next: Option<InForce>,
    /// The applications that stay as they are, each with the reason.
    pub frozen: BTreeMap<String, String>,
    /// The number of applications that are as the commit has them.
    pub current: usize,
    /// The limit for removals of the Guardrails at the commit.
    pub max_removals: Option<usize>,
    /// Objects go that would stay without the consent of commit messages.
    pub by_consent: bool,
    /// The next step of people, if there is one for all applications together.
    pub advice: Option<String>,
    /// The objects that the namespace does not have yet, and that no document wants to take over if others have made them.
    pub new: BTreeSet<Named>,
    /// The reason why something could not be read: the next plan may be another, for the same commit.
    pub failure: Option<String>,
    /// The reason why the annotation by which people agree to a commit is to be taken away, if it is.
    pub ends_annotation: Option<String>,
}

/// The name under which a plan freezes a namespace as a whole.
const ALL: &str = "all applications";

/// The commit messages since a namespace was judged last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Messages {
    /// None agrees to removals in it.
    None,
    /// Some agree.
    Agree,
    /// They are unknown, and stay so, as after a push that was forced.
    Lost,
    /// The newest commit is older than the one judged last: all up to that one have counted already.
    Counted,
}

/// The namespaces of a cluster, by their names.
pub type Namespaces<T> = BTreeMap<String, T>;

/// A commit, and how it is rendered.
#[derive(Clone, Debug)]
pub struct Proposed<'a> {
    pub applications: &'a Applications,
    pub commit: &'a Commit,
    /// The version of hfi.
    pub renderer: &'a str,
    pub setting: &'a Setting,
    /// What others may have made.
    pub foreign: &'a Foreign,
    /// The namespaces that must not change, each with the reason.
    pub stay: &'a Namespaces<String>,
    /// The applications in force that may be there under another name.
    pub successors: &'a Successors,
}

/// Plans what a commit changes. `earlier` are the objects that applications of namespaces without an artifact last had,
/// and `consents` those to removals. What the last plan with this cache rendered is not rendered again.
pub fn plan(
    in_force: &Namespaces<Objects>,
    earlier: &Namespaces<Objects>,
    proposed: &Proposed<'_>,
    consents: &Namespaces<Consent>,
    cache: &mut RenderCache,
) -> Namespaces<Plan> {
    if proposed.applications.is_empty() {
        return freeze(in_force, &format!("the repository has no files at {}", proposed.commit.short()));
    }
    let kept = proposed.foreign.without_taken(earlier);
    let before: BTreeMap<_, _> = kept.iter().chain(in_force).collect();
    let plan = |(namespace, decided): (String, Decided)| {
        let earlier = earlier.get(&namespace).map(Objects::keys).unwrap_or_default();
        let mut plan = Plan::of(decided, proposed);
        plan.new.extend(earlier.into_iter().map(Named));
        (namespace, plan)
    };
    decisions(&before, in_force, proposed, consents, cache).into_iter().map(plan).collect()
}

/// The plan that leaves everything as it is.
pub fn freeze(in_force: &Namespaces<Objects>, reason: &str) -> Namespaces<Plan> {
    let plan = |known: &Objects| Plan { frozen: Decision::whole(known, reason).frozen, ..Plan::default() };
    in_force.iter().map(|(namespace, known)| (namespace.clone(), plan(known))).collect()
}

impl Commit {
    /// Its id for people.
    pub fn short(&self) -> &str {
        self.id.get(..7).unwrap_or(&self.id)
    }
}

impl Plan {
    /// The plan that leaves a namespace as it is.
    pub fn frozen(reason: String) -> Self {
        Self { frozen: [(ALL.to_owned(), reason)].into(), ..Self::default() }
    }

    /// The same where something could not be read.
    pub fn failed(reason: String) -> Self {
        Self { failure: Some(reason.clone()), ..Self::frozen(reason) }
    }

    /// Leaves the namespace as it is, for one more reason than those of its applications.
    pub fn freeze(&mut self, reason: String) {
        self.next = None;
        self.frozen.insert(ALL.to_owned(), reason);
    }

    /// True if it leaves the namespace as it is, whatever its applications.
    pub fn is_frozen(&self) -> bool {
        self.frozen.contains_key(ALL)
    }

    /// The names of the applications that are frozen each for itself.
    pub fn frozen_applications(&self) -> impl Iterator<Item = &String> {
        self.frozen.keys().filter(|name| *name != ALL)
    }

    /// Records beside the objects that the namespace was judged, where it matters. Consent of messages is used up once objects
    /// went by it, or nothing is frozen. While something is frozen, no limit becomes laxer.
    pub fn record(&mut self, known: &InForce, commit: &Commit, messages: Messages) {
        let is_settled = self.frozen.is_empty();
        let stricter = known.max_removals.into_iter().chain(self.max_removals).min();
        let max_removals = if is_settled { self.max_removals } else { stricter };
        let is_due = match messages {
            Messages::Lost => true,
            Messages::Agree => is_settled || self.by_consent,
            Messages::None => is_settled && self.next.is_some(),
            Messages::Counted => false,
        };
        let judged = if is_due { commit.clone() } else { known.judged.clone() };
        let next = InForce { max_removals, judged, ..self.next.take().unwrap_or_else(|| known.clone()) };
        self.next = Some(next).filter(|next| next != known);
    }

    fn of(decided: Decided, proposed: &Proposed<'_>) -> Self {
        let Decided { decision, max_removals, new, artifact, stays } = decided;
        let Decision { objects, mut frozen, by_consent } = decision;
        if let Some(why) = stays {
            // Those that are invalid have reasons of their own.
            frozen.retain(|_, reason| *reason != why);
            frozen.insert(ALL.to_owned(), why);
            return Self { frozen, max_removals, ..Self::default() };
        }
        let is_current = |name: &&String| !frozen.contains_key(*name);
        let current = objects.applications().map(|(name, _)| name).filter(is_current).count();
        let next = artifact.map(|artifact| InForce {
            artifact,
            objects: objects.keys().len(),
            commit: proposed.commit.clone(),
            renderer: proposed.renderer.to_owned(),
            max_removals,
            judged: proposed.commit.clone(),
        });
        Self { next, frozen, current, max_removals, by_consent, new, ..Self::default() }
    }
}

/// What the files want of each namespace, and of each that has something in force; and what of it is new. Applications that
/// are held stay as they are, each for a reason, and with `is_along` what may depend on them stays too.
fn proposals(
    before: &BTreeMap<&String, &Objects>,
    &Proposed { applications, setting, foreign, successors, .. }: &Proposed<'_>,
    held: &BTreeMap<ApplicationId, String>,
    is_along: bool,
    cache: &mut RenderCache,
) -> (Namespaces<Proposal>, Namespaces<BTreeSet<Named>>) {
    let all = before.iter().flat_map(|(namespace, known)| {
        let id = |name: &String| -> ApplicationId { ((*namespace).clone(), name.clone()) };
        known.applications().map(move |(name, objects)| (id(name), objects.to_vec()))
    });
    let files: Vec<_> = applications.files.iter().map(|(path, file)| (path.clone(), &**file)).collect();
    let in_force = all.collect::<istio_config::InForce>().beside(foreign.by_id());
    let ids = held.keys().cloned();
    let in_force = if is_along { in_force.holding_along(ids) } else { in_force.holding(ids) };
    let catalog = Catalog::cached(cache, &files, &in_force, setting, |path, setting| {
        setting.within(applications.guarded.limits(path))
    });
    let wanted = catalog.to_be_in_force();
    let mut proposals: Namespaces<Proposal> =
        before.keys().map(|namespace| ((*namespace).clone(), Proposal::default())).collect();
    let mut propose = |(namespace, name): &ApplicationId, wanted: Result<Vec<Resource>, String>| {
        proposals.entry(namespace.clone()).or_default().applications.insert(name.clone(), wanted);
    };
    for (id, objects) in wanted.applications() {
        propose(id, Ok(objects.to_vec()));
    }
    for (id, why) in catalog.frozen() {
        propose(id, Err(held.get(id).cloned().unwrap_or_else(|| why.to_string())));
    }
    let removals: BTreeSet<_> = catalog.removals().iter().collect();
    for (namespace, name) in removals {
        proposals.entry(namespace.clone()).or_default().removed.insert(name.clone());
    }
    let unreadable = applications.unreadable();
    let valid = catalog.applications().iter().filter(|own| own.is_valid && !successors.is_empty());
    let valid: BTreeSet<_> = valid.map(|own| (&*own.file, own.application.place)).collect();
    for (namespace, proposal) in &mut proposals {
        proposal.unreadable = unreadable.map(str::to_owned);
        proposal.successors = successors.refused(namespace, |file, place| valid.contains(&(file, place)));
    }
    (proposals, by_namespace(catalog.new_objects()))
}
