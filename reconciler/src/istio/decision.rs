//! What a namespace gets at a new commit, and what stays as it is.
//!
//! The unit is the application. An application that is invalid keeps the objects that it has in force, and the others
//! go on. An object never goes unless people want that: see [`Consent`].

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use istio_config::Resource;

use super::{
    consent::Consent,
    objects::{Key, Objects, key},
};

/// A namespace as the newest commit has it.
#[derive(Clone, Debug, Default)]
pub struct Proposal {
    /// The objects of each application, or the reason why it is invalid, with its place.
    pub applications: BTreeMap<String, Result<Vec<Resource>, String>>,
    /// The applications that a document takes away.
    pub removed: BTreeSet<String>,
    /// A file that cannot be read: it may be the one with an application that is missed.
    pub unreadable: Option<String>,
    /// New applications that are refused, each with its place, by the names that they may have had before.
    pub successors: BTreeMap<String, String>,
}

/// What is to be in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    pub objects: Objects,
    /// The applications that stay as they are, each with the reason.
    pub frozen: BTreeMap<String, String>,
    /// Objects go that would stay without the consent of commit messages.
    pub by_consent: bool,
}

/// The rounds after which all of a namespace is frozen. Each round freezes more applications because of others, and puts all
/// objects of the namespace together again.
const MOST: usize = 256;

/// Decides about a namespace.
pub fn decide(in_force: &Objects, proposal: &Proposal, consent: &Consent) -> Decision {
    let invalid = proposal.applications.iter();
    let invalid = invalid.filter_map(|(name, wanted)| Some((name.clone(), wanted.as_ref().err()?.clone())));
    let mut decision = Decision { frozen: invalid.collect(), ..Decision::default() };
    for turn in 1.. {
        decision.objects = assembled(in_force, proposal, &decision.frozen);
        let mut more = to_freeze(in_force, proposal, consent, &decision);
        if more.is_empty() {
            let (removed, all) = losses(in_force, proposal, &decision.objects);
            let none = Consent { removals: 0, ..*consent };
            decision.by_consent =
                !none.covers(removed, all) || !succeeded(in_force, proposal, &none, &decision).is_empty();
            break;
        }
        if turn >= MOST
            && let Some(why) = more.values().next().cloned()
        {
            more = all_free(in_force, proposal, &why);
            more.retain(|name, _| !decision.frozen.contains_key(name));
        }
        decision.frozen.extend(more);
    }
    decision
}

/// All applications of a namespace, each for this reason, but for those that are invalid or taken away.
pub(super) fn all_free(in_force: &Objects, proposal: &Proposal, why: &str) -> BTreeMap<String, String> {
    let known = in_force.applications().map(|(name, _)| name).chain(proposal.applications.keys());
    let free = known.filter(|name| proposal.is_free(name) && !proposal.removed.contains(*name));
    free.map(|name| (name.clone(), why.to_owned())).collect()
}

impl Proposal {
    /// True if nothing is wrong with an application.
    pub(super) fn is_free(&self, name: &str) -> bool {
        !matches!(self.applications.get(name), Some(Err(_)))
    }
}

impl Decision {
    /// Everything stays as it is.
    pub fn whole(in_force: &Objects, reason: &str) -> Self {
        let frozen = in_force.applications().map(|(name, _)| (name.clone(), reason.to_owned())).collect();
        Self { objects: in_force.clone(), frozen, by_consent: false }
    }
}

/// The objects, where some applications are frozen.
fn assembled(in_force: &Objects, proposal: &Proposal, frozen: &BTreeMap<String, String>) -> Objects {
    let mut objects = Objects::default();
    for (name, wanted) in &proposal.applications {
        objects.set(name, wanted.clone().unwrap_or_default());
    }
    for name in frozen.keys() {
        objects.set(name, in_force.of(name).to_vec());
    }
    objects
}

/// The applications that must be frozen too.
fn to_freeze(
    in_force: &Objects,
    proposal: &Proposal,
    consent: &Consent,
    decision @ Decision { objects, frozen, .. }: &Decision,
) -> BTreeMap<String, String> {
    let clashing = clashing(objects, frozen);
    if !clashing.is_empty() {
        return clashing;
    }
    let (removed, all) = losses(in_force, proposal, objects);
    let reason = match &proposal.unreadable {
        Some(file) => format!("it would lose objects, and may be in {file}"),
        None if !consent.covers(removed, all) => format!(
            "{removed} of {all} objects of the namespace would be removed; write `Hfi-Removals: {removed}` into a commit \
             message, or `remove: true` into the document"
        ),
        None => return succeeded(in_force, proposal, consent, decision),
    };
    losing(in_force, proposal, decision).map(|name| (name.clone(), reason.clone())).collect()
}

/// The applications that would go while the one is refused that may have come in their place.
fn succeeded(
    in_force: &Objects,
    proposal: &Proposal,
    consent: &Consent,
    decision: &Decision,
) -> BTreeMap<String, String> {
    if proposal.successors.is_empty() {
        return BTreeMap::new();
    }
    let (removed, _) = losses(in_force, proposal, &decision.objects);
    if consent.agrees(removed) {
        return BTreeMap::new();
    }
    let losing = losing(in_force, proposal, decision);
    let missed = losing.filter_map(|name| Some((name, proposal.successors.get(name)?)));
    let reason = |new| {
        format!(
            "no document speaks of it any more, and the new application {new} is refused, which may be this one under another \
             name; correct that one, or write `Hfi-Removals: {removed}` into a commit message, or `remove: true` into a \
             document of this one"
        )
    };
    missed.map(|(name, new)| (name.clone(), reason(new))).collect()
}

/// The applications that lose objects and are not frozen.
fn losing<'a>(
    in_force: &'a Objects,
    proposal: &'a Proposal,
    Decision { objects, frozen, .. }: &'a Decision,
) -> impl Iterator<Item = &'a String> {
    let left = objects.keys();
    let is_losing = move |objects: &[Resource]| objects.iter().any(|object| !left.contains(&key(object)));
    let free = counted(in_force, proposal).filter(|(name, _)| !frozen.contains_key(*name));
    free.filter(move |(_, objects)| is_losing(objects)).map(|(name, _)| name)
}

/// The applications in force whose removal is counted.
fn counted<'a>(
    in_force: &'a Objects,
    proposal: &'a Proposal,
) -> impl Iterator<Item = (&'a String, &'a [Resource])> + Clone {
    in_force.applications().filter(|(name, _)| !proposal.removed.contains(*name))
}

/// The objects that go, and all that there are, as far as they are counted.
fn losses(in_force: &Objects, proposal: &Proposal, objects: &Objects) -> (usize, usize) {
    let left = objects.keys();
    let all = counted(in_force, proposal).flat_map(|(_, objects)| objects);
    let lost = all.clone().filter(|object| !left.contains(&key(object)));
    (lost.count(), all.count())
}

/// The applications with an object that a frozen one keeps.
fn clashing(objects: &Objects, frozen: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut owners: BTreeMap<Key, Vec<&String>> = BTreeMap::new();
    for (name, objects) in objects.applications() {
        for object in objects {
            owners.entry(key(object)).or_default().push(name);
        }
    }
    let mut clashing = BTreeMap::new();
    for ((kind, object), names) in owners.iter().filter(|(_, names)| names.len() > 1) {
        for name in names.iter().filter(|name| !frozen.contains_key(**name)) {
            let others: Vec<_> =
                names.iter().filter(|other| other != &name).map(|other| other.as_str()).collect();
            let reason = format!("{} {object} is of {} too, in force", kind.name(), others.join(" and "));
            clashing.insert((*name).clone(), reason);
        }
    }
    clashing
}
