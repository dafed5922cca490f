//! The documents of files, one after another: what they render to, what they claim, and what is wrong with them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use policies::reading::Place;

use crate::{
    catalog::{
        Catalog, LocatedFinding, RenderedApplication,
        claims::{Claim, Use},
        limiting,
        render_cache::{Renderer, Rendering},
    },
    file::File,
    finding::{Finding, Level},
    in_force::ApplicationId,
    rendering::Setting,
    surroundings::Waypoints,
    written::{Application, ApplyTo, Document},
};

/// The most entries of all applications of a namespace. An archive of so many is too long for a ConfigMap anyway, and to
/// render any number of them would take the memory for everybody.
const MOST_ENTRIES: usize = 10_000;

/// A catalog on its way.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    pub(super) catalog: Catalog,
    pub(super) removals: Vec<Use>,
    pub(super) claims: Vec<(Claim, Use)>,
    /// The documents that are left out.
    pub(super) outside: Vec<(ApplicationId, LocatedFinding)>,
    /// The number of entries in each namespace.
    entries: BTreeMap<String, usize>,
    /// The reason why there may be applications that nobody knows of.
    pub(super) unknown: Option<LocatedFinding>,
}

impl Assembly {
    /// Takes what is wrong with a file. Here too a document of a namespace that is not for its file counts for nothing.
    pub(super) fn take(&mut self, path: &Arc<str>, file: &File, setting: &Setting) {
        let located = |finding: &Finding| LocatedFinding::new(path, finding.clone());
        self.catalog.findings.extend(file.findings().iter().map(located));
        if self.unknown.is_none() {
            self.unknown = file.why_unreadable().map(located);
        }
        for refused in &file.refused {
            let Some(id) = &refused.application else { continue };
            if self.is_outside(path, refused.place, id, setting) {
                continue;
            }
            self.claim_name(path, refused.place, id, true);
            self.catalog.frozen.entry(id.clone()).or_insert_with(|| located(&refused.error));
        }
    }

    /// Counts the entries of files, each with its setting.
    pub(super) fn count<'a>(&mut self, files: impl Iterator<Item = (&'a File, &'a Setting)>) {
        for (file, setting) in files {
            for document in file.documents() {
                let Document::Application(application) = document else { continue };
                let namespace = application.namespace.as_str();
                if limiting::namespace(namespace, setting.limits.as_ref()).is_none() {
                    *self.entries.entry(namespace.to_owned()).or_default() += application.entries.len();
                }
            }
        }
    }

    /// Takes a document.
    pub(super) fn add(
        &mut self,
        file: &Arc<str>,
        document: &Document,
        setting: &Setting,
        waypoints: &Waypoints<'_>,
        renderer: &mut Renderer<'_>,
    ) {
        let id = document.id();
        let place = match document {
            Document::Removal { place, .. } => *place,
            Document::Application(found) => found.place,
        };
        if self.is_outside(file, place, &id, setting) {
            return;
        }
        let application = match document {
            Document::Removal { .. } => {
                let used = self.claim_name(file, place, &id, false);
                self.removals.push(used);
                return;
            }
            Document::Application(application) => application,
        };
        if self.is_over(file, place, &id) {
            return;
        }
        let setting = setting.clone().of(application, waypoints);
        let Rendering { application, setting, resources, found } =
            renderer.render(file, application, setting);
        let rendered =
            RenderedApplication { file: Arc::clone(file), application, setting, resources, is_valid: true };
        self.claim(&rendered, found.iter().any(|finding| finding.level == Level::Error));
        let number = self.catalog.applications.len();
        self.catalog.applications.push(rendered);
        for finding in found.iter() {
            self.catalog.tell(number, finding.clone());
        }
    }

    /// Leaves out a document of a namespace that is not for its file. It claims nothing: neither does it take an
    /// application away, nor freeze the one that another file has.
    fn is_outside(&mut self, file: &Arc<str>, place: Place, id: &ApplicationId, setting: &Setting) -> bool {
        let Some(finding) = limiting::namespace(&id.0, setting.limits.as_ref()) else { return false };
        let located = LocatedFinding::new(file, finding.at(place));
        self.catalog.findings.push(located.clone());
        self.outside.push((id.clone(), located));
        true
    }

    /// Refuses a document, unrendered, of a namespace that has too many entries.
    fn is_over(&mut self, file: &Arc<str>, place: Place, id: &ApplicationId) -> bool {
        let entries = self.entries.get(&id.0).copied().unwrap_or_default();
        if entries <= MOST_ENTRIES {
            return false;
        }
        let reason =
            format!("`{}` has {entries} entries in all documents, and {MOST_ENTRIES} are the most", id.0);
        let finding = Finding::error("APP24", "metadata.namespace", reason).at(place);
        let located =
            LocatedFinding::new(file, finding.right("spread the applications over several namespaces"));
        self.claim_name(file, place, id, true);
        self.catalog.findings.push(located.clone());
        self.catalog.frozen.entry(id.clone()).or_insert(located);
        true
    }

    /// Claims what only one may have.
    fn claim(&mut self, rendered: &RenderedApplication, is_refused: bool) {
        let RenderedApplication { file, application, resources, .. } = rendered;
        let used = self.claim_name(file, application.place, &rendered.id(), is_refused);
        let used_at = |place| Use { place, ..used.clone() };
        let Application { namespace, entries, .. } = application.as_ref();
        let wide = entries.iter().filter(|entry| entry.apply_to == Some(ApplyTo::Namespace));
        self.claims.extend(wide.map(|entry| {
            let claim = Claim::Namespace { namespace: namespace.to_string(), kind: entry.kind };
            (claim, used_at(entry.place))
        }));
        let renamed: BTreeSet<_> =
            entries.iter().filter(|entry| entry.resource_name.is_some()).map(|entry| entry.place).collect();
        self.claims.extend(resources.iter().map(|own| {
            let is_named_after_it = !renamed.contains(&own.entry);
            (Claim::Object(own.resource.id()), Use { is_named_after_it, ..used_at(own.entry) })
        }));
    }

    /// Claims the name of an application, for a document.
    fn claim_name(&mut self, file: &Arc<str>, place: Place, id: &ApplicationId, is_refused: bool) -> Use {
        let (file, application) = (Arc::clone(file), id.clone());
        let used = Use { file, place, application, is_refused, is_named_after_it: false };
        self.claims.push((Claim::Application(id.clone()), used.clone()));
        used
    }
}
