//! Namespaces that stay as they are as a whole, since something in force would be broken by a part of them.

use std::{cell::OnceCell, collections::BTreeSet};

use super::{
    Beside,
    members::{AllBroken, Broken, Members},
    right,
    trials::at_fault,
};
use crate::{
    catalog::{Catalog, LocatedFinding},
    finding::Finding,
    in_force::ApplicationId,
};

impl Catalog {
    /// Freezes each namespace where something that stays in force is broken, and would not be if all of the namespace
    /// stayed. Answers whether there was one. `before` is what was broken before: going back does not mend it.
    pub(super) fn freeze_namespaces(
        &mut self,
        broken: AllBroken,
        before: &OnceCell<AllBroken>,
        pass: usize,
        beside: &Beside<'_>,
    ) -> bool {
        if broken.is_empty() {
            return false;
        }
        let before = before.get_or_init(|| Members::in_force(beside).check(beside).1);
        let free = self.free_namespaces(beside);
        let is_new = |key: &Broken| !before.contains_key(key) && free.contains(&key.namespace);
        let new: AllBroken = broken.into_iter().filter(|(key, _)| is_new(key)).collect();
        let at_fault = at_fault(self, &new, pass, beside);
        for (namespace, (key, reason)) in &at_fault {
            let reason = format!(
                "is not in force: all of {namespace} stays as it is, since the {} `{}` stays in force, and with the rest of this commit {reason}",
                key.kind.name(),
                key.name
            );
            let of = ((*namespace).to_owned(), key.application.clone());
            self.freeze_namespace(&of, &reason, beside);
        }
        !at_fault.is_empty()
    }

    /// The namespaces of which something does not stay as it is yet.
    fn free_namespaces(&self, beside: &Beside<'_>) -> BTreeSet<String> {
        let valid = self.applications.iter().filter(|application| application.is_valid);
        let valid = valid.map(|valid| valid.application.namespace.to_string());
        let going =
            beside.in_force.applications().map(|(id, _)| id).filter(|id| !self.frozen.contains_key(*id));
        valid.chain(going.map(|(namespace, _)| namespace.clone())).collect()
    }

    /// Freezes all of a namespace, since one of its applications is frozen.
    pub(super) fn freeze_namespace(&mut self, of: &ApplicationId, reason: &str, beside: &Beside<'_>) {
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
    }
}
