//! The plan for all namespaces at a commit.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use istio_config::{ApplicationId, Catalog, Resource, Setting};

use super::{
    applications::Applications,
    artifact::Artifact,
    consent::Consent,
    decision::{Decision, Proposal, decide},
    objects::Objects,
};

/// What is in force in a namespace, and since which commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    pub artifact: Artifact,
    pub objects: Objects,
    pub commit: Commit,
    /// The version of hfi that rendered it.
    pub renderer: String,
    /// The limit for removals of its Guardrails.
    pub max_removals: Option<usize>,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub id: String,
    /// The time of the committer (RFC 3339).
    pub at: String,
}

/// The plan for a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is to be in force, if it is something else.
    pub next: Option<InForce>,
    /// The applications that stay as they are, each with the reason.
    pub frozen: BTreeMap<String, String>,
    /// The number of applications that are as the commit has them.
    pub current: usize,
}

/// The namespaces of a cluster, by their names.
pub type Namespaces<T> = BTreeMap<String, T>;

/// Plans what a commit changes. `consents` are those to removals.
pub fn plan(
    in_force: &Namespaces<InForce>,
    applications: &Applications,
    commit: &Commit,
    renderer: &str,
    consents: &Namespaces<Consent>,
) -> Namespaces<Plan> {
    if applications.is_empty() {
        return freeze(in_force, &format!("the repository has no files at {}", commit.short()));
    }
    let mut plans = BTreeMap::new();
    for (namespace, proposal) in proposals(in_force, applications) {
        let (none, no_consent) = (Objects::default(), Consent::default());
        let known = in_force.get(&namespace);
        let before = known.map_or(&none, |known| &known.objects);
        let consent = consents.get(&namespace).unwrap_or(&no_consent);
        let decision = decide(before, &proposal, consent);
        plans.insert(namespace, Plan::of(decision, before, commit, renderer));
    }
    plans
}

/// The plan that leaves everything as it is.
pub fn freeze(in_force: &Namespaces<InForce>, reason: &str) -> Namespaces<Plan> {
    let plan =
        |known: &InForce| Plan { frozen: Decision::whole(&known.objects, reason).frozen, ..Plan::default() };
    in_force.iter().map(|(namespace, known)| (namespace.clone(), plan(known))).collect()
}

impl Commit {
    /// Its id for people.
    pub fn short(&self) -> &str {
        self.id.get(..7).unwrap_or(&self.id)
    }
}

impl Plan {
    fn of(decision: Decision, before: &Objects, commit: &Commit, renderer: &str) -> Self {
        let is_same = decision.objects.are_written_as(before);
        let artifact = if is_same { None } else { Some(Artifact::of(&decision.objects)) };
        match artifact.transpose() {
            Ok(artifact) => {
                let Decision { objects, frozen } = decision;
                let is_current = |name: &&String| !frozen.contains_key(*name);
                let current = objects.applications().map(|(name, _)| name).filter(is_current).count();
                let next = artifact.map(|artifact| InForce {
                    artifact,
                    objects,
                    commit: commit.clone(),
                    renderer: renderer.to_owned(),
                    max_removals: None,
                });
                Self { next, frozen, current }
            }
            Err(error) => {
                let all = decision.objects.applications().chain(before.applications());
                let frozen = all.map(|(name, _)| (name.clone(), error.to_string())).collect();
                Self { next: None, frozen, current: 0 }
            }
        }
    }
}

/// What the files want of each namespace, and of each that has something in force.
fn proposals(in_force: &Namespaces<InForce>, applications: &Applications) -> Namespaces<Proposal> {
    let all = in_force.iter().flat_map(|(namespace, known)| {
        let id = |name: &String| -> ApplicationId { (namespace.clone(), name.clone()) };
        known.objects.applications().map(move |(name, objects)| (id(name), objects.to_vec()))
    });
    let files: Vec<_> = applications.0.iter().map(|(path, file)| (path.clone(), &**file)).collect();
    let catalog = Catalog::new(&files, &all.collect(), &Setting::default(), |_, setting| setting);
    let wanted = catalog.to_be_in_force();
    let mut proposals: Namespaces<Proposal> =
        in_force.keys().map(|namespace| (namespace.clone(), Proposal::default())).collect();
    let mut propose = |(namespace, name): &ApplicationId, wanted: Result<Vec<Resource>, String>| {
        proposals.entry(namespace.clone()).or_default().applications.insert(name.clone(), wanted);
    };
    for (id, objects) in wanted.applications() {
        propose(id, Ok(objects.to_vec()));
    }
    for (id, why) in catalog.frozen() {
        propose(id, Err(why.to_string()));
    }
    let removals: BTreeSet<_> = catalog.removals().iter().collect();
    for (namespace, name) in removals {
        proposals.entry(namespace.clone()).or_default().removed.insert(name.clone());
    }
    let unreadable = applications.unreadable();
    for proposal in proposals.values_mut() {
        proposal.unreadable = unreadable.map(str::to_owned);
    }
    proposals
}
