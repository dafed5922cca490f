//! Documents that claim the same, and applications that are left as they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use policies::{language::ClusterDomain, reading::Place};

use super::documents::Assembly;
use crate::{
    catalog::{
        LocatedFinding, RenderedApplication, belongings,
        claims::{Claim, Use, contested},
        located::HELD,
    },
    finding::Finding,
    in_force::{ApplicationId, InForce},
};

impl Assembly {
    /// Leaves out documents that are refused, of applications that have nothing in force and one document that is not: they
    /// keep it from nobody. Where something is in force, nobody knows whose it is.
    pub(super) fn leave_out_refused(&mut self, in_force: &InForce) {
        let mut documents = BTreeMap::<_, Vec<_>>::new();
        for (claim, used) in &self.claims {
            if matches!(claim, Claim::Application(_)) {
                documents.entry(claim).or_default().push(used);
            }
        }
        let (mut left_out, mut found) = (BTreeSet::new(), Vec::new());
        for (claim, uses) in documents {
            let (refused, valid): (Vec<&Use>, Vec<_>) = uses.into_iter().partition(|used| used.is_refused);
            let ([valid], [first, ..]) = (&*valid, &*refused) else { continue };
            let (namespace, name) = &first.application;
            if in_force.of(namespace, name).is_empty() {
                left_out.insert(first.application.clone());
                let finding = claim.finding(&valid.file, valid.place);
                let located = |used: &&Use| LocatedFinding::new(&used.file, finding.clone().at(used.place));
                found.extend(refused.iter().map(located));
            }
        }
        let catalog = &mut self.catalog;
        catalog.findings.extend(found);
        catalog.frozen.retain(|id, _| !left_out.contains(id));
        catalog.applications.retain(|own| own.is_valid || !left_out.contains(&own.id()));
        self.claims.retain(|(_, used)| !used.is_refused || !left_out.contains(&used.application));
    }

    /// Refuses what is at fault where several claim the same. A document claims nothing by its objects if its name is not its
    /// own, or if it must not have what they are for.
    pub(super) fn refuse_shared(&mut self, in_force: &InForce, domain: &ClusterDomain) {
        let contested = contested(std::mem::take(&mut self.claims)).into_iter();
        let (names, mut others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            contested.partition(|(claim, _)| matches!(claim, Claim::Application(_)));
        let refused = self.refuse(&names, in_force);
        if !others.is_empty() {
            let catalog = &self.catalog;
            let takers = belongings::check(catalog, in_force, domain).into_iter();
            let takers = takers.filter_map(|(number, _)| catalog.applications.get(number));
            let takers: BTreeSet<_> = takers.map(RenderedApplication::id).collect();
            for used in others.values_mut().flatten() {
                let id = &used.application;
                used.is_refused |= catalog.frozen.contains_key(id) || takers.contains(id);
            }
            self.refuse(&others, in_force);
        }
        let removals = std::mem::take(&mut self.removals).into_iter();
        let removals = removals.filter(|used| !refused.contains(&(Arc::clone(&used.file), used.place)));
        self.catalog.removals = removals.map(|used| used.application).collect();
    }

    /// Refuses what is at fault for these claims. Answers where.
    fn refuse(
        &mut self,
        contested: &BTreeMap<Claim, Vec<Use>>,
        in_force: &InForce,
    ) -> BTreeSet<(Arc<str>, Place)> {
        let catalog = &mut self.catalog;
        // One document knows its own clashes already.
        let key = |file: &Arc<str>, finding: &Finding| (Arc::clone(file), finding.at, finding.rule);
        let known: BTreeSet<_> =
            catalog.findings.iter().map(|located| key(&located.file, &located.finding)).collect();
        let mut refused = BTreeSet::new();
        for (claim, uses) in contested {
            for (used, other) in claim.at_fault(uses, in_force) {
                let finding = claim.finding(&other.file, other.place).at(used.place);
                let is_known = known.contains(&key(&used.file, &finding));
                let located = LocatedFinding::new(&used.file, finding);
                catalog.frozen.entry(used.application.clone()).or_insert_with(|| located.clone());
                refused.insert((Arc::clone(&used.file), used.place));
                if !is_known {
                    catalog.findings.push(located);
                }
            }
        }
        for application in &mut catalog.applications {
            let RenderedApplication { file, application, is_valid, .. } = application;
            let mut places =
                [application.place].into_iter().chain(application.entries.iter().map(|entry| entry.place));
            *is_valid &= !places.any(|place| refused.contains(&(Arc::clone(file), place)));
        }
        refused
    }

    /// Freezes the applications in force that nobody speaks of, or that are taken away, while there may be documents that
    /// nobody knows of.
    pub(super) fn freeze(&mut self, in_force: &InForce) {
        let catalog = &mut self.catalog;
        let mut known: BTreeSet<_> = catalog.applications.iter().map(RenderedApplication::id).collect();
        if self.unknown.is_some() {
            catalog.removals.clear();
        }
        known.extend(catalog.removals.iter().cloned());
        // A Guardrail that is stricter now removes nothing. Otherwise such a document counts for nothing.
        let stays = |(namespace, name): &ApplicationId| !in_force.of(namespace, name).is_empty();
        for (id, why) in self.outside.iter().filter(|(id, _)| !known.contains(id) && stays(id)) {
            catalog.frozen.entry(id.clone()).or_insert_with(|| why.clone());
        }
        let Some(why) = &self.unknown else { return };
        for (id, _) in in_force.applications().filter(|(id, _)| !known.contains(*id)) {
            catalog.frozen.entry(id.clone()).or_insert_with(|| why.clone());
        }
    }

    /// Leaves applications as they are with which nothing is wrong.
    pub(super) fn hold(&mut self, held: &BTreeSet<ApplicationId>) {
        // Mostly none is held, and then no id is made.
        if held.is_empty() {
            return;
        }
        let catalog = &mut self.catalog;
        catalog.removals.retain(|id| !held.contains(id));
        let mut hold = |id, file: &Arc<str>, place| {
            let finding = Finding::error(HELD, "", "stays as it is in force").at(place);
            catalog.frozen.entry(id).or_insert_with(|| LocatedFinding::new(file, finding));
        };
        for application in catalog.applications.iter_mut().filter(|own| held.contains(&own.id())) {
            application.is_valid = false;
            hold(application.id(), &application.file, application.application.place);
        }
        // Those without a document.
        for id in held {
            hold(id.clone(), &Arc::default(), Place::default());
        }
    }
}
