//! Resources among each other: those of valid applications, beside what stays in force and what is written by hand.
//!
//! All is checked until nothing new is refused. Each check but the last one refuses something, or freezes a namespace. A
//! namespace is frozen by the sixteenth check ([`MOST`]) that refuses something there, and once there were 64 ([`LAST`]) by
//! each. A frozen namespace has nothing left to be refused. So for `n` namespaces with applications or objects in force there
//! are at most `LAST + n` checks, and one of what is in force alone. Each may be followed by trials: [`trials`] has their
//! number, which is one from the last of these on.

mod along;
mod members;
mod namespaces;
#[cfg(test)]
mod tests;
mod trials;

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

pub(super) use self::members::Beside;
use self::{along::along, members::Members};
use super::{Catalog, LocatedFinding, RenderedApplication, belongings, located::HELD};
use crate::{
    finding::{Finding, Level},
    in_force::ApplicationId,
};

/// The most times that all is checked until what depends on the refused goes along.
const EXACT: usize = 4;

/// The most checks that refuse something of a namespace until all of it is frozen. What ties know of is taken along sooner.
const MOST: usize = 16;

/// The most checks until each namespace in which something is refused is frozen.
const LAST: usize = 4 * MOST;

/// Findings about applications, by their numbers.
type Told = Vec<(usize, Finding)>;

impl Catalog {
    /// Checks all resources among each other until nothing new is refused: an application that is refused takes back
    /// what others may have referred to.
    pub(super) fn judge(&mut self, beside: &Beside<'_>) {
        let before = OnceCell::new();
        if beside.in_force.holds_along() {
            self.take_along(along(self, beside.in_force.held(), true, beside));
        }
        let mut refusals = BTreeMap::<String, usize>::new();
        for pass in 1.. {
            let frozen: BTreeSet<_> = self.frozen.keys().cloned().collect();
            let takers = self.refuse_takers(beside);
            self.keep(beside);
            let (told, broken) = Members::of(self, beside, &BTreeSet::new()).check(beside);
            let (errors, others): (Vec<_>, Vec<_>) =
                told.into_iter().partition(|(_, finding)| finding.level == Level::Error);
            let is_last = takers.is_empty()
                && errors.is_empty()
                && !self.freeze_namespaces(broken, &before, pass, beside);
            let in_error = errors.iter().filter_map(|(number, _)| self.applications.get(*number));
            let refused: BTreeSet<_> = in_error.map(RenderedApplication::id).chain(takers).collect();
            // Of the warnings of a pass that is not the last, some are about what is refused.
            for (number, finding) in if is_last { others } else { errors } {
                self.tell(number, finding);
            }
            if is_last {
                return;
            }
            // One of each namespace.
            let refused: BTreeMap<_, _> = refused.into_iter().collect();
            for id in refused {
                let refusals = refusals.entry(id.0.clone()).or_default();
                *refusals += 1;
                if *refusals >= MOST || pass >= LAST {
                    self.freeze_chain(pass, &id, beside);
                }
            }
            if pass >= EXACT {
                self.take_along(along(self, &self.frozen_since(&frozen), false, beside));
            }
        }
    }

    /// The applications that are frozen, and were not before.
    fn frozen_since(&self, before: &BTreeSet<ApplicationId>) -> BTreeSet<ApplicationId> {
        self.frozen.keys().filter(|id| !before.contains(*id)).cloned().collect()
    }

    /// Refuses applications with objects for what belongs to others: what is refused keeps what it has in force.
    fn refuse_takers(&mut self, beside: &Beside<'_>) -> BTreeSet<ApplicationId> {
        let found = belongings::check(self, beside.in_force, &beside.surroundings.cluster_domain);
        let takers = found.iter().filter_map(|(number, _)| self.applications.get(*number));
        let takers = takers.map(RenderedApplication::id).collect();
        for (number, finding) in found {
            self.tell(number, finding);
        }
        takers
    }

    /// Leaves applications as they are, each because of the one that it may depend on. Nobody checks whether it does.
    fn take_along(&mut self, along: Vec<(ApplicationId, ApplicationId)>) {
        let valid = (0..).zip(&self.applications).filter(|(_, own)| own.is_valid);
        let valid: BTreeMap<_, _> =
            valid.map(|(number, own)| (own.id(), (number, own.application.place))).collect();
        for (id, of) in along {
            let Some(why) = self.frozen.get(&of).cloned() else { continue };
            let reason = format!(
                "is not in force: more than {EXACT} applications are refused one after the other, and this one may depend on {}/{}, which stays as it is",
                of.0, of.1
            );
            let finding = Finding::error("APP21", "", reason).right(right(&why));
            if let Some((number, place)) = valid.get(&id) {
                self.tell(*number, finding.at(*place));
                continue;
            }
            // It goes by this commit, and stays.
            self.removals.retain(|removed| *removed != id);
            let located = LocatedFinding { file: why.file, finding: finding.at(why.finding.at) };
            self.frozen.entry(id).or_insert(located);
        }
    }

    /// Freezes the namespace of this one, where something is refused again and again.
    fn freeze_chain(&mut self, pass: usize, id: &ApplicationId, beside: &Beside<'_>) {
        let (namespace, name) = id;
        let reason = format!(
            "is not in force: all of {namespace} stays as it is, since after all was checked {pass} times `{name}` is refused too"
        );
        self.freeze_namespace(id, &reason, beside);
    }

    /// Keeps what the frozen applications have in force.
    fn keep(&mut self, beside: &Beside<'_>) {
        let frozen = self.frozen.keys();
        self.kept = frozen.map(|id| (id.clone(), beside.in_force.of(&id.0, &id.1).to_vec())).collect();
    }
}

/// What would be right where something depends on what stays as it is.
fn right(why: &LocatedFinding) -> String {
    let LocatedFinding { file, finding } = why;
    if finding.rule == HELD { String::new() } else { format!("correct {file}:{}", finding.at.line) }
}
