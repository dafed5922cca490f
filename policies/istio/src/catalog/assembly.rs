//! From files to a catalog, step by step.

use std::{collections::BTreeSet, sync::Arc};

use policies::reading::Place;

use super::{
    Catalog, LocatedFinding, RenderedApplication,
    claims::{Claim, shared},
};
use crate::{
    file::File,
    finding::Level,
    in_force::{ApplicationId, InForce},
    rendering::{Setting, render},
    resource::Resource,
    surroundings::{Surroundings, Waypoints},
    written::{Application, ApplyTo, Document},
};

/// A name that only one may have: what it is of, and where it is used.
type Use = (Arc<str>, Place);

pub(super) fn catalog(
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
    let mut assembly = Assembly::default();
    for (path, file) in &files {
        assembly.take(path, file);
        let setting = guarded(path, setting.clone());
        for document in file.documents() {
            assembly.add(path, document, &setting, &waypoints);
        }
    }
    assembly.refuse_shared();
    assembly.freeze(in_force);
    let mut catalog = assembly.catalog;
    let context = super::judging::context(&files);
    catalog.judge(&context, in_force, &surroundings);
    for application in catalog.applications.iter_mut().filter(|application| !application.is_valid) {
        application.resources.clear();
    }
    catalog.findings.sort_by(|a, b| a.order().cmp(&b.order()));
    catalog
}

/// What surrounds the resources of these files.
pub(super) fn surroundings(files: &[(Arc<str>, &File)], setting: &Setting) -> Surroundings {
    let mut surroundings = setting.surroundings();
    files.iter().flat_map(|(_, file)| &file.objects).for_each(|object| surroundings.add(object));
    surroundings
}

/// A catalog on its way.
#[derive(Debug, Default)]
struct Assembly {
    catalog: Catalog,
    removals: Vec<(ApplicationId, Use)>,
    claims: Vec<(Claim, Use)>,
    /// The reason why there may be applications that nobody knows of.
    unknown: Option<LocatedFinding>,
}

impl Assembly {
    /// Takes what is wrong with a file.
    fn take(&mut self, path: &Arc<str>, file: &File) {
        let located = |finding: &crate::finding::Finding| LocatedFinding::new(path, finding.clone());
        self.catalog.findings.extend(file.findings().iter().map(located));
        if self.unknown.is_none() {
            self.unknown = file.why_unreadable().map(located);
        }
        for refused in &file.refused {
            let Some(id) = &refused.application else { continue };
            self.claims.push((Claim::application(id), (Arc::clone(path), refused.place)));
            self.catalog.frozen.entry(id.clone()).or_insert_with(|| located(&refused.error));
        }
    }

    fn add(&mut self, file: &Arc<str>, document: &Document, setting: &Setting, waypoints: &Waypoints<'_>) {
        let application = match document {
            Document::Removal { place, name, namespace } => {
                let id = (namespace.to_string(), name.to_string());
                let used = (Arc::clone(file), *place);
                self.claims.push((Claim::application(&id), used.clone()));
                self.removals.push((id, used));
                return;
            }
            Document::Application(application) => application.as_ref(),
        };
        let setting = setting.clone().of(application, waypoints);
        let (resources, found) = render(application, &setting);
        let rendered = RenderedApplication {
            file: Arc::clone(file),
            application: application.clone(),
            resources,
            is_valid: true,
        };
        self.claim(&rendered);
        let number = self.catalog.applications.len();
        self.catalog.applications.push(rendered);
        for finding in found {
            self.catalog.tell(number, finding);
        }
    }

    /// Claims what only one may have.
    fn claim(&mut self, rendered: &RenderedApplication) {
        let RenderedApplication { file, application, resources, .. } = rendered;
        let used_at = |place| (Arc::clone(file), place);
        self.claims.push((Claim::application(&rendered.id()), used_at(application.place)));
        let Application { namespace, entries, .. } = application;
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

    /// What several claim makes all of them invalid: none can be known to be the one that was meant.
    fn refuse_shared(&mut self) {
        let catalog = &mut self.catalog;
        let mut refused = BTreeSet::new();
        for (claim, (file, place), (other_file, other)) in shared(std::mem::take(&mut self.claims)) {
            let finding = claim.finding(&other_file, other).at(place);
            // One document knows its own clashes already.
            let is_known = catalog.findings.iter().any(|known| {
                known.file == file && known.finding.at == place && known.finding.rule == finding.rule
            });
            let located = LocatedFinding::new(&file, finding);
            if let Claim::Application { namespace, name } = claim {
                catalog.frozen.entry((namespace, name)).or_insert_with(|| located.clone());
            }
            refused.insert((file, place));
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
        catalog.removals = removals.filter(|(_, used)| !refused.contains(used)).map(|(id, _)| id).collect();
    }

    /// Freezes the applications in force that nobody speaks of, while there may be documents that nobody knows of.
    fn freeze(&mut self, in_force: &InForce) {
        let Some(why) = &self.unknown else { return };
        let catalog = &mut self.catalog;
        let mut known: BTreeSet<_> = catalog.applications.iter().map(RenderedApplication::id).collect();
        known.extend(catalog.removals.iter().cloned());
        for (id, _) in in_force.applications().filter(|(id, _)| !known.contains(*id)) {
            catalog.frozen.entry(id.clone()).or_insert_with(|| why.clone());
        }
    }
}

impl Catalog {
    /// Tells something about an application, which an error makes invalid.
    pub(super) fn tell(&mut self, number: usize, finding: crate::finding::Finding) {
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
