//! From files to a catalog, step by step.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Catalog, LocatedFinding, RenderCache, RenderedApplication, adoption, belongings,
    claims::{Claim, Use, shared},
    judging::Beside,
    limiting,
    render_cache::{Renderer, Rendering},
};
use crate::{
    file::File,
    finding::{Finding, Level},
    in_force::{ApplicationId, InForce},
    rendering::Setting,
    resource::Resource,
    surroundings::{Surroundings, Waypoints},
    written::{Application, ApplyTo, Document},
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
    let (mut assembly, mut renderer) = (Assembly::default(), cache.renderer());
    for (path, file) in &files {
        assembly.take(path, file);
        let setting = guarded(path, setting.clone());
        for document in file.documents() {
            assembly.add(path, document, &setting, &waypoints, &mut renderer);
        }
    }
    // Frees what only the catalog before had.
    drop(renderer);
    assembly.refuse_shared(in_force);
    assembly.freeze(in_force);
    let mut catalog = assembly.catalog;
    let found = belongings::check(&catalog, in_force, &setting.cluster_domain);
    let (new, taken) = adoption::check(&catalog, &files, in_force);
    catalog.new = new;
    for (number, finding) in found.into_iter().chain(taken) {
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

/// A catalog on its way.
#[derive(Debug, Default)]
struct Assembly {
    catalog: Catalog,
    removals: Vec<Use>,
    claims: Vec<(Claim, Use)>,
    /// The documents that are left out.
    outside: Vec<(ApplicationId, LocatedFinding)>,
    /// The reason why there may be applications that nobody knows of.
    unknown: Option<LocatedFinding>,
}

impl Assembly {
    /// Takes what is wrong with a file.
    fn take(&mut self, path: &Arc<str>, file: &File) {
        let located = |finding: &Finding| LocatedFinding::new(path, finding.clone());
        self.catalog.findings.extend(file.findings().iter().map(located));
        if self.unknown.is_none() {
            self.unknown = file.why_unreadable().map(located);
        }
        for refused in &file.refused {
            let Some(id) = &refused.application else { continue };
            let (file, application) = (Arc::clone(path), id.clone());
            self.claims.push((Claim::application(id), Use { file, place: refused.place, application }));
            self.catalog.frozen.entry(id.clone()).or_insert_with(|| located(&refused.error));
        }
    }

    fn add(
        &mut self,
        file: &Arc<str>,
        document: &Document,
        setting: &Setting,
        waypoints: &Waypoints<'_>,
        renderer: &mut Renderer<'_>,
    ) {
        if self.is_outside(file, document, setting) {
            return;
        }
        let application = match document {
            Document::Removal { place, name, namespace } => {
                let application = (namespace.to_string(), name.to_string());
                let used = Use { file: Arc::clone(file), place: *place, application };
                self.claims.push((Claim::application(&used.application), used.clone()));
                self.removals.push(used);
                return;
            }
            Document::Application(application) => application,
        };
        let setting = setting.clone().of(application, waypoints);
        let Rendering { application, setting, resources, found } =
            renderer.render(file, application, setting);
        let rendered =
            RenderedApplication { file: Arc::clone(file), application, setting, resources, is_valid: true };
        self.claim(&rendered);
        let number = self.catalog.applications.len();
        self.catalog.applications.push(rendered);
        for finding in found.iter() {
            self.catalog.tell(number, finding.clone());
        }
    }

    /// Leaves out a document of a namespace that is not for its file. It claims nothing: neither does it take an
    /// application away, nor freeze the one that another file has.
    fn is_outside(&mut self, file: &Arc<str>, document: &Document, setting: &Setting) -> bool {
        let (place, id) = match document {
            Document::Removal { place, name, namespace } => {
                (*place, (namespace.to_string(), name.to_string()))
            }
            Document::Application(found) => {
                (found.place, (found.namespace.to_string(), found.name.to_string()))
            }
        };
        let Some(finding) = limiting::namespace(&id.0, setting.limits.as_ref()) else { return false };
        let located = LocatedFinding::new(file, finding.at(place));
        self.catalog.findings.push(located.clone());
        self.outside.push((id, located));
        true
    }

    /// Claims what only one may have.
    fn claim(&mut self, rendered: &RenderedApplication) {
        let RenderedApplication { file, application, resources, .. } = rendered;
        let used_at = |place| Use { file: Arc::clone(file), place, application: rendered.id() };
        self.claims.push((Claim::application(&rendered.id()), used_at(application.place)));
        let Application { namespace, entries, .. } = application.as_ref();
        let wide = entries.iter().filter(|entry| entry.apply_to == Some(ApplyTo::Namespace));
        self.claims.extend(wide.map(|entry| {
            let claim = Claim::Namespace { namespace: namespace.to_string(), kind: entry.kind };
            (claim, used_at(entry.place))
        }));
        self.claims.extend(resources.iter().map(|rendered| {
            let Resource { kind, namespace, name, .. } = &rendered.resource;
            let claim = Claim::Object { namespace: namespace.clone(), kind: *kind, name: name.clone() };
            (claim, used_at(rendered.entry))
        }));
    }

    /// Refuses what is at fault where several claim the same.
    fn refuse_shared(&mut self, in_force: &InForce) {
        let catalog = &mut self.catalog;
        // One document knows its own clashes already.
        let key = |file: &Arc<str>, finding: &Finding| (Arc::clone(file), finding.at, finding.rule);
        let known: BTreeSet<_> =
            catalog.findings.iter().map(|located| key(&located.file, &located.finding)).collect();
        let mut refused = BTreeSet::new();
        for (claim, used, other) in shared(std::mem::take(&mut self.claims), in_force) {
            let finding = claim.finding(&other.file, other.place).at(used.place);
            let is_known = known.contains(&key(&used.file, &finding));
            let located = LocatedFinding::new(&used.file, finding);
            catalog.frozen.entry(used.application.clone()).or_insert_with(|| located.clone());
            refused.insert((used.file, used.place));
            if !is_known {
                catalog.findings.push(located);
            }
        }
        for application in &mut catalog.applications {
            let RenderedApplication { file, application, is_valid, .. } = application;
            let mut places =
                [application.place].into_iter().chain(application.entries.iter().map(|entry| entry.place));
            *is_valid &= !places.any(|place| refused.contains(&(Arc::clone(file), place)));
        }
        let removals = std::mem::take(&mut self.removals).into_iter();
        let removals = removals.filter(|used| !refused.contains(&(Arc::clone(&used.file), used.place)));
        catalog.removals = removals.map(|used| used.application).collect();
    }

    /// Freezes the applications in force that nobody speaks of, or that are taken away, while there may be documents that
    /// nobody knows of.
    fn freeze(&mut self, in_force: &InForce) {
        let catalog = &mut self.catalog;
        let mut known: BTreeSet<_> = catalog.applications.iter().map(RenderedApplication::id).collect();
        if self.unknown.is_some() {
            catalog.removals.clear();
        }
        known.extend(catalog.removals.iter().cloned());
        // A Guardrail that is stricter now removes nothing.
        for (id, why) in self.outside.iter().filter(|(id, _)| !known.contains(id)) {
            catalog.frozen.entry(id.clone()).or_insert_with(|| why.clone());
        }
        let Some(why) = &self.unknown else { return };
        for (id, _) in in_force.applications().filter(|(id, _)| !known.contains(*id)) {
            catalog.frozen.entry(id.clone()).or_insert_with(|| why.clone());
        }
    }
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
