//! The resources that are checked among each other, and whose they are.

use std::collections::{BTreeMap, BTreeSet};

use super::Told;
use crate::{
    catalog::Catalog,
    finding::{Finding, Level},
    in_force::InForce,
    rendering::Rendered,
    resource::{Kind, Resource},
    rules,
    surroundings::Surroundings,
};

/// What is beside the applications of a catalog.
#[derive(Debug)]
pub(in crate::catalog) struct Beside<'a> {
    pub(in crate::catalog) in_force: &'a InForce,
    /// The resources that are written by hand.
    pub(in crate::catalog) by_hand: Vec<&'a Resource>,
    pub(in crate::catalog) surroundings: &'a Surroundings,
}

/// The owner of a resource.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner<'a> {
    /// A valid application, by its number.
    Application(usize, &'a Rendered),
    /// An application that stays as it is.
    InForce,
    ByHand,
}

/// A rule that a field of an object breaks. An object that others break in one field may be broken by its own namespace in
/// another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Broken {
    pub(super) namespace: String,
    pub(super) application: String,
    pub(super) kind: Kind,
    pub(super) name: String,
    rule: &'static str,
    field: String,
}

impl Broken {
    fn new(resource: &Resource, Finding { rule, field, .. }: Finding) -> Self {
        let application = resource.application().map(|(_, name)| name.to_owned()).unwrap_or_default();
        let (namespace, name) = (resource.namespace.clone(), resource.name.clone());
        Self { namespace, application, kind: resource.kind, name, rule, field }
    }
}

/// The rules that what stays in force breaks, and how.
pub(super) type AllBroken = BTreeMap<Broken, String>;

/// Resources in their order.
#[derive(Debug)]
pub(super) struct Members<'a>(Vec<(Owner<'a>, &'a Resource)>);

impl<'a> Members<'a> {
    /// The resources of a catalog, with these namespaces staying as they are.
    pub(super) fn of(catalog: &'a Catalog, beside: &Beside<'a>, frozen: &BTreeSet<String>) -> Self {
        let is_frozen = |namespace: &str| frozen.contains(namespace);
        let valid = catalog.applications.iter().enumerate().filter(|(_, application)| application.is_valid);
        let valid = valid.filter(|(_, valid)| !is_frozen(valid.application.namespace.as_str()));
        let rendered = valid.flat_map(|(number, valid)| {
            valid.resources.iter().map(move |own| (Owner::Application(number, own), &own.resource))
        });
        let kept = catalog.kept.resources().filter(|kept| !is_frozen(&kept.namespace));
        let frozen = beside.in_force.resources().filter(|resource| is_frozen(&resource.namespace));
        let in_force = kept.chain(frozen).map(|resource| (Owner::InForce, resource));
        Self::new(rendered.chain(in_force).collect(), beside)
    }

    /// All that is in force.
    pub(super) fn in_force(beside: &Beside<'a>) -> Self {
        let in_force = beside.in_force.resources().map(|resource| (Owner::InForce, resource));
        Self::new(in_force.collect(), beside)
    }

    /// Adds what is written by hand, but for objects of the applications themselves.
    fn new(mut all: Vec<(Owner<'a>, &'a Resource)>, beside: &Beside<'a>) -> Self {
        let names: BTreeSet<_> = all.iter().map(|(_, resource)| resource.order()).collect();
        let by_hand = beside.by_hand.iter().filter(|resource| !names.contains(&resource.order()));
        let by_hand: Vec<_> = by_hand.map(|resource| (Owner::ByHand, *resource)).collect();
        all.extend(by_hand);
        all.sort_by(|(_, a), (_, b)| a.order().cmp(&b.order()));
        Self(all)
    }

    /// All that is wrong: what is found about applications, and the errors of what stays in force.
    pub(super) fn check(&self, beside: &Beside<'_>) -> (Told, AllBroken) {
        #[cfg(test)]
        super::tests::CHECKS.set(super::tests::CHECKS.get() + 1);
        let resources: Vec<_> = self.0.iter().map(|(_, resource)| *resource).collect();
        let (mut told, mut broken) = (Told::new(), AllBroken::new());
        for (at, finding) in rules::check_all(&resources, beside.in_force, beside.surroundings) {
            match self.0.get(at) {
                Some((Owner::Application(number, rendered), _)) => {
                    told.push((*number, rendered.located(finding)));
                }
                Some((Owner::InForce, resource)) if finding.level == Level::Error => {
                    let reason = format!("its {} {}", finding.field, finding.reason);
                    broken.insert(Broken::new(resource, finding), reason);
                }
                _ => {}
            }
        }
        told.extend(self.clashes());
        (told, broken)
    }

    /// An error for each application with an object that another one has in force.
    fn clashes(&self) -> Told {
        let pairs = self.0.windows(2).filter_map(|pair| match pair {
            [(one, a), (other, b)] if a.order() == b.order() => Some((one, other, *a)),
            _ => None,
        });
        let clashes = pairs.filter_map(|(one, other, resource)| {
            let (number, rendered) = match (one, other) {
                (Owner::Application(number, rendered), Owner::InForce)
                | (Owner::InForce, Owner::Application(number, rendered)) => (number, rendered),
                _ => return None,
            };
            let reason = format!(
                "renders to the {} `{}`, which another application has in force",
                resource.kind.name(),
                resource.name
            );
            let finding = Finding::error("APP04", &rendered.field, reason).at(rendered.entry);
            Some((*number, finding.right("rename one")))
        });
        clashes.collect()
    }
}
