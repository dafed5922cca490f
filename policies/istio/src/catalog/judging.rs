//! Resources among each other: those of valid applications, beside what stays in force and what is written by hand.

mod members;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use self::members::Beside;
use self::members::{Members, Owner};
use super::{Catalog, LocatedFinding};
use crate::{
    finding::{Finding, Level},
    in_force::ApplicationId,
};

/// The most times that all is checked for one catalog.
const MAX_PASSES: usize = 16;

/// Findings about applications, by their numbers.
type Told = Vec<(usize, Finding)>;

impl Catalog {
    /// Checks all resources among each other until nothing new is refused: an application that is refused takes back
    /// what others may have referred to.
    pub(super) fn judge(&mut self, beside: &Beside<'_>) {
        for pass in 1.. {
            self.keep(beside);
            if pass > MAX_PASSES {
                self.freeze_all();
                return self.keep(beside);
            }
            let (errors, others): (Vec<_>, Vec<_>) =
                self.told(beside).into_iter().partition(|(_, finding)| finding.level == Level::Error);
            let is_last = errors.is_empty() && !self.freeze_namespaces(beside);
            // Of the warnings of a pass that is not the last, some are about what is refused.
            for (number, finding) in if is_last { others } else { errors } {
                self.tell(number, finding);
            }
            if is_last {
                return;
            }
        }
    }

    /// Refuses what is left, where each pass refuses only the next of a long chain.
    fn freeze_all(&mut self) {
        let reason = format!(
            "is not in force: more than {MAX_PASSES} applications are refused one after the other, since each refers to the next"
        );
        let finding = Finding::error("APP21", "", reason).right("correct the others first");
        for number in 0..self.applications.len() {
            if let Some(left) = self.applications.get(number).filter(|left| left.is_valid) {
                let place = left.application.place;
                self.tell(number, finding.clone().at(place));
            }
        }
    }

    /// Keeps what the frozen applications have in force.
    fn keep(&mut self, beside: &Beside<'_>) {
        let frozen = self.frozen.keys();
        self.kept = frozen.map(|id| (id.clone(), beside.in_force.of(&id.0, &id.1).to_vec())).collect();
    }

    /// All that is found about the valid applications.
    fn told(&self, beside: &Beside<'_>) -> Told {
        let members = Members::of(self, beside, None);
        let found = members.check(beside).into_iter().filter_map(|(owner, _, finding)| match owner {
            Owner::Application(number, rendered) => Some((number, rendered.located(finding))),
            Owner::InForce | Owner::ByHand => None,
        });
        found.chain(members.clashes()).collect()
    }

    /// Freezes each namespace where something that stays in force would break, and would not if all of the namespace
    /// stayed. Answers whether there was one.
    fn freeze_namespaces(&mut self, beside: &Beside<'_>) -> bool {
        if self.kept.is_empty() {
            return false;
        }
        let broken = Members::of(self, beside, None).broken_in_force(beside);
        if broken.is_empty() {
            return false;
        }
        // What was broken before cannot be mended by going back.
        let before = Members::in_force(beside).broken_in_force(beside);
        let new: BTreeMap<_, _> = broken.into_iter().filter(|(key, _)| !before.contains_key(key)).collect();
        let namespaces: BTreeSet<_> = new.keys().map(|key| key.namespace.clone()).collect();
        let mut is_frozen = false;
        for namespace in namespaces {
            let frozen = Members::of(self, beside, Some(&namespace)).broken_in_force(beside);
            let mut of_namespace = new.iter().filter(|(key, _)| key.namespace == namespace);
            let cured = of_namespace.find(|(key, _)| !frozen.contains_key(key));
            let reason = cured.map(|(key, reason)| {
                format!(
                    "is not in force: all of {namespace} stays as it is, since the {} `{}` stays in force, and with the rest of this commit {reason}",
                    key.kind.name(), key.name
                )
            });
            if let Some(reason) = reason {
                is_frozen |= self.freeze_namespace(&namespace, &reason, beside);
            }
        }
        is_frozen
    }

    fn freeze_namespace(&mut self, namespace: &str, reason: &str, beside: &Beside<'_>) -> bool {
        let frozen_before = self.frozen.len();
        let is_here = |id: &ApplicationId| id.0 == namespace;
        let why = self.frozen.iter().find(|(id, _)| is_here(id)).map(|(_, why)| why.clone());
        let right = why.as_ref().map(|why| format!("correct {}:{}", why.file, why.finding.at.line));
        let finding = Finding::error("APP20", "", reason).right(right.unwrap_or_default());
        let numbers: Vec<_> = (0..).zip(&self.applications).collect();
        let valid = numbers.into_iter().filter(|(_, application)| application.is_valid);
        let valid: Vec<_> = valid
            .filter(|(_, valid)| valid.application.namespace.as_str() == namespace)
            .map(|(number, valid)| (number, valid.application.place))
            .collect();
        for (number, place) in valid {
            self.tell(number, finding.clone().at(place));
        }
        // Applications that are taken away, or that no file has any more, stay too.
        self.removals.retain(|id| !is_here(id));
        if let Some(why) = why {
            for (id, _) in beside.in_force.applications().filter(|(id, _)| is_here(id)) {
                self.frozen.entry(id.clone()).or_insert_with(|| LocatedFinding {
                    file: why.file.clone(),
                    finding: finding.clone().at(why.finding.at),
                });
            }
        }
        self.frozen.len() > frozen_before
    }
}
