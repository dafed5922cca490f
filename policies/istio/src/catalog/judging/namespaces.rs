//! Namespaces that stay as they are as a whole, since something in force would be broken by a part of them.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Beside,
    members::{AllBroken, Members},
    right,
};
use crate::{
    catalog::{Catalog, LocatedFinding},
    finding::Finding,
    in_force::ApplicationId,
};

/// The most namespaces that are tried one by one.
const TRIED: usize = 4;

impl Catalog {
    /// Freezes each namespace where something that stays in force is broken, and would not be if all of the namespace
    /// stayed. Answers whether there was one. `before` is what was broken before: going back does not mend it.
    pub(super) fn freeze_namespaces(
        &mut self,
        broken: AllBroken,
        before: &OnceCell<AllBroken>,
        beside: &Beside<'_>,
    ) -> bool {
        if broken.is_empty() {
            return false;
        }
        let before = before.get_or_init(|| Members::in_force(beside).check(beside).1);
        let mut new: BTreeMap<_, _> =
            broken.into_iter().filter(|(key, _)| !before.contains_key(key)).collect();
        let namespaces =
            |new: &AllBroken| new.keys().map(|key| key.namespace.clone()).collect::<BTreeSet<_>>();
        let all = namespaces(&new);
        if all.len() > TRIED {
            // What would be broken even then cannot be cured.
            let left = Members::of(self, beside, &all).check(beside).1;
            new.retain(|key, _| !left.contains_key(key));
        }
        let (cured, mut is_frozen) = (namespaces(&new), false);
        let are_tried = cured.len() <= TRIED;
        for namespace in cured {
            let one = BTreeSet::from([namespace.clone()]);
            let tried = are_tried.then(|| Members::of(self, beside, &one).check(beside).1);
            let left = tried.unwrap_or_default();
            let mut of_namespace = new.iter().filter(|(key, _)| key.namespace == namespace);
            let Some((key, reason)) = of_namespace.find(|(key, _)| !left.contains_key(key)) else { continue };
            let reason = format!(
                "is not in force: all of {namespace} stays as it is, since the {} `{}` stays in force, and with the rest of this commit {reason}",
                key.kind.name(),
                key.name
            );
            let of = (namespace.clone(), key.application.clone());
            is_frozen |= self.freeze_namespace(&of, &reason, beside);
            if are_tried && is_frozen {
                // It may mend others too, which the next check tells.
                break;
            }
        }
        is_frozen
    }

    /// Freezes all of a namespace, since one of its applications is frozen. Answers whether something is frozen now that
    /// was not.
    pub(super) fn freeze_namespace(&mut self, of: &ApplicationId, reason: &str, beside: &Beside<'_>) -> bool {
        let frozen_before = self.frozen.len();
        let (namespace, why) = (&of.0, self.frozen.get(of).cloned());
        let is_here = |id: &ApplicationId| id.0 == *namespace;
        let finding = Finding::error("APP20", "", reason).right(why.as_ref().map(right).unwrap_or_default());
        let numbers: Vec<_> = (0..).zip(&self.applications).collect();
        let valid = numbers.into_iter().filter(|(_, application)| application.is_valid);
        let valid: Vec<_> = valid
            .filter(|(_, valid)| valid.application.namespace.as_str() == *namespace)
            .map(|(number, valid)| (number, valid.application.place))
            .collect();
        for (number, place) in valid {
            self.tell(number, finding.clone().at(place));
        }
        // Applications that are taken away, or that no file has any more, stay too.
        self.removals.retain(|id| !is_here(id));
        let (file, at) = why.map(|why| (why.file, why.finding.at)).unwrap_or_default();
        for (id, _) in beside.in_force.applications().filter(|(id, _)| is_here(id)) {
            let located = || LocatedFinding::new(&file, finding.clone().at(at));
            self.frozen.entry(id.clone()).or_insert_with(located);
        }
        self.frozen.len() > frozen_before
    }
}
