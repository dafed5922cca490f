//! What goes along with applications that are refused: those that may break beside what these have in force, those that
//! may break that, and so on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Beside;
use crate::{
    catalog::Catalog,
    in_force::ApplicationId,
    resource::{Kind, Resource},
    rules::{Tie, Ties, ties},
};

/// An application as it is now, and as it is in force.
#[derive(Debug, Default)]
struct Sides<'a> {
    now: Vec<&'a Resource>,
    in_force: Vec<&'a Resource>,
}

impl<'a> Sides<'a> {
    /// The names of what one side has, and the other one has not so.
    fn unlike(&self) -> BTreeSet<(&'a str, Kind, &'a str)> {
        let by_name = |side: &[&'a Resource]| -> BTreeMap<_, _> {
            side.iter().map(|resource| (resource.order(), *resource)).collect()
        };
        let [now, before] = [by_name(&self.now), by_name(&self.in_force)];
        let names = now.keys().chain(before.keys()).copied();
        names.filter(|name| now.get(name) != before.get(name)).collect()
    }

    /// True if it has an object in force that it does not have now.
    fn is_losing(&self) -> bool {
        let now: BTreeSet<_> = self.now.iter().map(|resource| resource.order()).collect();
        self.in_force.iter().any(|resource| !now.contains(&resource.order()))
    }
}

/// Applications and the ties between them, by their numbers.
#[derive(Debug, Default)]
struct Tied<'a> {
    /// Those that change something, by what they need as they are now.
    needing: BTreeMap<Tie, Vec<usize>>,
    /// Those that change something, by their namespace and by what they give then.
    changing: BTreeMap<(&'a str, Tie), Vec<usize>>,
    /// What changes where an application stays as it is in force.
    gives: BTreeMap<usize, BTreeSet<Tie>>,
    /// What an application needs where it stays as it is in force.
    needs: BTreeMap<usize, BTreeSet<Tie>>,
    /// The applications of each namespace that goes along as a whole.
    whole: BTreeMap<&'a str, Vec<usize>>,
}

/// The applications that go along with these, each with the one of these on which it depends. With `is_whole` all of a namespace
/// that loses an object goes along with each of it that goes along: what stays may be what would have had that object.
pub(super) fn along(
    catalog: &Catalog,
    refused: &BTreeSet<ApplicationId>,
    is_whole: bool,
    beside: &Beside<'_>,
) -> Vec<(ApplicationId, ApplicationId)> {
    let sides = sides(catalog, refused, beside);
    let all = sides.iter().flat_map(|(_, sides)| sides.now.iter().chain(&sides.in_force));
    // What files have by hand stays: it may give what somebody else takes away.
    let all: Vec<_> = all.chain(&beside.by_hand).copied().collect();
    let ties = ties(&all, beside.in_force, beside.surroundings);
    let mut tied = Tied { whole: if is_whole { whole(&sides) } else { BTreeMap::new() }, ..Tied::default() };
    let mut ties = ties.iter();
    for (number, (id, sides)) in sides.iter().enumerate() {
        let unlike = sides.unlike();
        let changes = |resource: &Resource| unlike.contains(&resource.order());
        for (resource, ties) in sides.now.iter().zip(ties.by_ref()) {
            // One that is as it is in force has nothing that could stay.
            if !unlike.is_empty() {
                ties.needs.iter().for_each(|tie| tied.needing.entry(*tie).or_default().push(number));
            }
            if changes(resource) {
                tied.changes(&id.0, number, ties);
            }
        }
        for (resource, ties) in sides.in_force.iter().zip(ties.by_ref()) {
            tied.needs.entry(number).or_default().extend(&ties.needs);
            if changes(resource) {
                tied.changes(&id.0, number, ties);
            }
        }
    }
    let ids: Vec<_> = sides.iter().map(|(id, _)| id).collect();
    let first = (0..).zip(&ids).filter(|(_, id)| refused.contains(**id)).map(|(number, _)| number);
    let found = tied.follow(first.collect(), &ids);
    let id = |number: usize| ids.get(number).map(|id| (*id).clone());
    found.into_iter().filter_map(|(other, of)| Some((id(other)?, id(of)?))).collect()
}

/// The applications that are refused now, and those that are not, be it that they go.
fn sides<'a>(
    catalog: &'a Catalog,
    refused: &BTreeSet<ApplicationId>,
    beside: &Beside<'a>,
) -> Vec<(ApplicationId, Sides<'a>)> {
    let is_free = |id: &ApplicationId| refused.contains(id) || !catalog.frozen.contains_key(id);
    let mut sides = BTreeMap::<_, Sides>::new();
    for application in catalog.applications.iter().filter(|application| is_free(&application.id())) {
        let now = application.resources.iter().map(|rendered| &rendered.resource);
        sides.entry(application.id()).or_default().now.extend(now);
    }
    for (id, resources) in beside.in_force.applications().filter(|(id, _)| is_free(id)) {
        sides.entry(id.clone()).or_default().in_force.extend(resources);
    }
    sides.into_iter().collect()
}

/// The applications of each namespace that loses an object, by their numbers.
fn whole<'s>(sides: &'s [(ApplicationId, Sides<'_>)]) -> BTreeMap<&'s str, Vec<usize>> {
    let losing: BTreeSet<_> =
        sides.iter().filter(|(_, sides)| sides.is_losing()).map(|(id, _)| &id.0).collect();
    let mut whole = BTreeMap::<_, Vec<_>>::new();
    for (number, (id, _)) in sides.iter().enumerate().filter(|(_, (id, _))| losing.contains(&id.0)) {
        whole.entry(id.0.as_str()).or_default().push(number);
    }
    whole
}

impl<'a> Tied<'a> {
    fn changes(&mut self, namespace: &'a str, number: usize, Ties { gives, .. }: &Ties) {
        for tie in gives {
            self.changing.entry((namespace, *tie)).or_default().push(number);
        }
        self.gives.entry(number).or_default().extend(gives);
    }

    /// The applications that are reached from the first ones, each with the one of these. Each tie is followed once: then
    /// all that it leads to is reached.
    fn follow(mut self, first: Vec<usize>, ids: &[&'a ApplicationId]) -> Vec<(usize, usize)> {
        let mut reached: BTreeSet<_> = first.iter().copied().collect();
        let mut queue: VecDeque<_> = first.into_iter().map(|first| (first, first)).collect();
        let mut found = Vec::new();
        while let Some((of, first)) = queue.pop_front() {
            let mut next = Vec::new();
            for tie in self.gives.remove(&of).into_iter().flatten() {
                next.extend(self.needing.remove(&tie).into_iter().flatten());
            }
            let namespace = ids.get(of).map(|(namespace, _)| namespace.as_str()).unwrap_or_default();
            // What stays in force holds up nobody in another namespace.
            for tie in self.needs.remove(&of).into_iter().flatten() {
                next.extend(self.changing.remove(&(namespace, tie)).into_iter().flatten());
            }
            // What the first ones lose, or would, has been decided already.
            if of != first {
                next.extend(self.whole.remove(namespace).into_iter().flatten());
            }
            for other in next.into_iter().filter(|other| reached.insert(*other)) {
                found.push((other, first));
                queue.push_back((other, first));
            }
        }
        found
    }
}
