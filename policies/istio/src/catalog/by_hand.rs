//! Resources that are written by hand, by the rules for those that are rendered.

use std::{collections::BTreeSet, sync::Arc};

use super::{Catalog, LocatedFinding, context::Context};
use crate::{
    file::File,
    finding::Finding,
    in_force::InForce,
    rendering::Setting,
    resource::{Raw, Resource},
    rules,
};

impl Catalog {
    /// Checks the resources of Istio that files hold as they are, each alone, and all of them beside those of the
    /// catalog's valid applications. One without a namespace is checked alone, since nobody knows where it belongs. So
    /// is one of a namespace that is not for its file, and one of which another file says something else that counts.
    pub fn check_by_hand(&self, files: &[(Arc<str>, &File)], setting: &Setting) -> Vec<LocatedFinding> {
        let raw = files.iter().flat_map(|(path, file)| file.raw().iter().map(move |raw| (path, raw)));
        let raw: Vec<(&Arc<str>, &Raw)> = raw.collect();
        let mut found: Vec<_> = raw
            .iter()
            .flat_map(|(path, raw)| {
                let alone = rules::check(&raw.resource).into_iter().map(|found| raw.located(found));
                raw.form().chain(alone).map(|found| LocatedFinding::new(path, found))
            })
            .collect();
        let around = files.iter().flat_map(|(path, file)| file.around.iter().map(move |found| (path, found)));
        found.extend(around.map(|(path, found)| LocatedFinding::new(path, found.clone())));
        if self.applications.is_empty() {
            // Beside applications they are told already.
            found.extend(self.doubles.iter().cloned());
        }
        let context = Context::new(files, &self.standing);
        let placed = context.raw.iter();
        let mut all: Vec<_> = placed.map(|(path, raw)| (Some((*path, *raw)), &raw.resource)).collect();
        // What was rendered may stand in the repository too.
        let names: BTreeSet<_> = all.iter().map(|(_, resource)| resource.order()).collect();
        let rendered = self.resources().into_iter().filter(|resource| !names.contains(&resource.order()));
        let rendered: Vec<_> = rendered.map(|resource| (None, resource)).collect();
        all.extend(rendered);
        all.sort_by(|(_, a), (_, b)| a.order().cmp(&b.order()));
        let resources: Vec<&Resource> = all.iter().map(|(_, resource)| *resource).collect();
        let among = rules::check_all(&resources, &InForce::default(), &context.surroundings(setting));
        found.extend(among.into_iter().filter_map(|(at, finding): (usize, Finding)| {
            let (path, raw) = all.get(at)?.0?;
            Some(LocatedFinding::new(path, raw.located(finding)))
        }));
        let objects = &context.objects;
        let around: Vec<_> = objects.iter().map(|(_, (_, object))| object).collect();
        found.extend(rules::check_around(&around, &resources).into_iter().filter_map(|(at, finding)| {
            let (path, (place, _)) = *objects.get(at)?;
            Some(LocatedFinding::new(path, finding.at(*place)))
        }));
        found.sort_by(|a, b| a.order().cmp(&b.order()));
        found
    }
}
