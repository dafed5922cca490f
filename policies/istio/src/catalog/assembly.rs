//! From files to a catalog, step by step.

mod documents;
mod frozen;

use std::sync::Arc;

use self::documents::Assembly;
use super::{
    Catalog, LocatedFinding, RenderCache, adoption,
    context::{self, Context, Standing},
    doubles::doubles,
    judging::Beside,
};
use crate::{
    file::File,
    finding::{Finding, Level},
    in_force::InForce,
    limits::Limits,
    rendering::Setting,
    surroundings::Waypoints,
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
    let settings: Vec<_> = files.iter().map(|(path, _)| guarded(path, setting.clone())).collect();
    let held = files.iter().zip(&settings).map(|((path, file), setting)| (path, *file, setting));
    let (mut left_out, warnings) = context::outside(held.clone());
    let (more, doubles) = doubles(held.clone(), &left_out);
    left_out.extend(more);
    let of_teams = held.filter(|(.., setting)| setting.limits.as_ref().is_some_and(Limits::limit_namespaces));
    let of_teams = of_teams.map(|(path, ..)| Arc::clone(path)).collect();
    let standing = Standing { left_out, of_teams };
    let context = Context::new(&files, &standing);
    let surroundings = context.surroundings(setting);
    let waypoints = Waypoints::new(&surroundings);
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
    assembly.leave_out_refused(in_force);
    assembly.refuse_shared(in_force, &surroundings.cluster_domain);
    assembly.freeze(in_force);
    assembly.hold(in_force.held());
    let mut catalog = assembly.catalog;
    if !catalog.applications.is_empty() {
        catalog.findings.extend(warnings.into_iter().chain(doubles.iter().cloned()));
    }
    let (new, taken) = adoption::check(&catalog, &context, in_force);
    for (number, finding) in taken {
        catalog.tell(number, finding);
    }
    let by_hand = context.resources_by_hand();
    catalog.judge(&Beside { in_force, by_hand, surroundings: &surroundings });
    catalog.new = adoption::of_interest(&catalog, new);
    (catalog.standing, catalog.doubles) = (standing, doubles);
    for application in catalog.applications.iter_mut().filter(|application| !application.is_valid) {
        application.resources = Arc::default();
    }
    catalog.findings.sort_by(|a, b| a.order().cmp(&b.order()));
    catalog
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
