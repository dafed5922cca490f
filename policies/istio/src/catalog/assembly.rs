//! From files to a catalog, step by step.

mod documents;
mod frozen;

use std::sync::Arc;

use self::documents::Assembly;
use super::{Catalog, LocatedFinding, RenderCache, adoption, judging::Beside};
use crate::{
    file::File,
    finding::{Finding, Level},
    in_force::InForce,
    rendering::Setting,
    resource::Resource,
    surroundings::{Surroundings, Waypoints},
};

pub(super) fn catalog(
    cache: &mut RenderCache,
    files: &[(Arc<str>, &File)],
    in_force: &InForce,
    setting: &Setting,
    guarded: impl Fn(&str, Setting) -> Setting,
) -> Catalog {
    // Whatever the order of the files, the same is told.
    let mut files = files.to_vec();
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    let surroundings = surroundings(&files, setting);
    let waypoints = Waypoints::new(&surroundings);
    let settings: Vec<_> = files.iter().map(|(path, _)| guarded(path, setting.clone())).collect();
    let (mut assembly, mut renderer) = (Assembly::default(), cache.renderer());
    assembly.count(files.iter().map(|(_, file)| *file).zip(&settings));
    for ((path, file), setting) in files.iter().zip(&settings) {
        assembly.take(path, file, setting);
        for document in file.documents() {
            assembly.add(path, document, setting, &waypoints, &mut renderer);
        }
    }
    // Frees what only the catalog before had.
    drop(renderer);
    assembly.refuse_shared(in_force);
    assembly.freeze(in_force);
    assembly.hold(in_force.held());
    let mut catalog = assembly.catalog;
    let (new, taken) = adoption::check(&catalog, &files, in_force);
    catalog.new = new;
    for (number, finding) in taken {
        catalog.tell(number, finding);
    }
    let by_hand = by_hand(&files);
    catalog.judge(&Beside { in_force, by_hand, surroundings: &surroundings });
    for application in catalog.applications.iter_mut().filter(|application| !application.is_valid) {
        application.resources = Arc::default();
    }
    catalog.findings.sort_by(|a, b| a.order().cmp(&b.order()));
    catalog
}

/// The resources that are written by hand, as far as it is known where they are. What hfi has rendered is in the
/// catalog anyway.
fn by_hand<'a>(files: &[(Arc<str>, &'a File)]) -> Vec<&'a Resource> {
    let raw = files.iter().flat_map(|(_, file)| file.raw()).map(|raw| &raw.resource);
    raw.filter(|resource| !resource.namespace.is_empty() && resource.application().is_none()).collect()
}

/// What surrounds the resources of these files.
pub(super) fn surroundings(files: &[(Arc<str>, &File)], setting: &Setting) -> Surroundings {
    let mut surroundings = setting.surroundings();
    files.iter().flat_map(|(_, file)| &file.objects).for_each(|(_, object)| surroundings.add(object));
    surroundings
}

impl Catalog {
    /// Tells something about an application, which an error makes invalid.
    pub(super) fn tell(&mut self, number: usize, finding: Finding) {
        let Some(application) = self.applications.get_mut(number) else { return };
        let located = LocatedFinding::new(&application.file, finding);
        if located.finding.level == Level::Error {
            application.is_valid = false;
            let id = application.id();
            self.frozen.entry(id).or_insert_with(|| located.clone());
        }
        self.findings.push(located);
    }
}
