//! All files of a repository together.

mod claims;

use std::{collections::BTreeSet, fmt, sync::Arc};

use policies::reading::Place;

use self::claims::{Claim, shared};
use crate::{
    finding::{Finding, Level},
    rendering::{Rendered, Setting, render},
    resource::Resource,
    rules,
    surroundings::{Surroundings, Waypoints},
    written::{Application, ApplyTo, Document, Reading},
};

/// Every application of a repository, rendered, and everything that is wrong.
///
/// A pure function of the files: the same commit gives the same bytes.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    applications: Vec<RenderedApplication>,
    removals: Vec<(String, String)>,
    findings: Vec<LocatedFinding>,
}

/// An application and its resources.
#[derive(Clone, Debug)]
pub struct RenderedApplication {
    pub file: Arc<str>,
    pub application: Application,
    /// Sorted; empty unless the application is valid.
    pub resources: Vec<Rendered>,
    pub is_valid: bool,
}

/// A finding, and the file that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedFinding {
    pub file: Arc<str>,
    pub finding: Finding,
}

/// A name that only one may have: what it is of, and where it is used.
type Use = (Arc<str>, Place);

impl Catalog {
    /// Puts files together. `setting` says what each application is rendered for, and `surroundings` is what the
    /// resources may refer to.
    pub fn new(
        files: &[(Arc<str>, Reading)],
        setting: impl Fn(&Application) -> Setting,
        surroundings: &Surroundings,
    ) -> Self {
        let mut catalog = Self::default();
        let mut claims = Vec::new();
        let waypoints = Waypoints::new(surroundings);
        let setting = |application: &Application| {
            let waypoint = waypoints.of(application.namespace.as_str(), application.service.as_str());
            Setting { waypoint, ..setting(application) }
        };
        for (file, reading) in files {
            let found = reading.findings.iter().cloned();
            catalog.findings.extend(found.map(|finding| LocatedFinding { file: Arc::clone(file), finding }));
            for document in &reading.documents {
                catalog.add(file, document, &setting, &mut claims);
            }
        }
        catalog.refuse_shared(claims);
        catalog.refuse_broken(surroundings);
        for application in catalog.applications.iter_mut().filter(|application| !application.is_valid) {
            application.resources.clear();
        }
        catalog.findings.sort_by(|a, b| a.order().cmp(&b.order()));
        catalog
    }

    fn add(
        &mut self,
        file: &Arc<str>,
        document: &Document,
        setting: &impl Fn(&Application) -> Setting,
        claims: &mut Vec<(Claim, Use)>,
    ) {
        let name = |name: &str, namespace: &str| Claim::Application {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        let application = match document {
            Document::Removal { place, name: removed, namespace } => {
                claims.push((name(removed.as_str(), namespace.as_str()), (Arc::clone(file), *place)));
                self.removals.push((namespace.to_string(), removed.to_string()));
                return;
            }
            Document::Application(application) => application.as_ref(),
        };
        let used_at = |place| (Arc::clone(file), place);
        let claim = name(application.name.as_str(), application.namespace.as_str());
        claims.push((claim, used_at(application.place)));
        let wide = application.entries.iter().filter(|entry| entry.apply_to == Some(ApplyTo::Namespace));
        claims.extend(wide.map(|entry| {
            let claim = Claim::Namespace { namespace: application.namespace.to_string(), kind: entry.kind };
            (claim, used_at(entry.place))
        }));
        let (resources, found) = render(application, &setting(application));
        let objects = resources.iter().map(|rendered| {
            let Resource { kind, namespace, name, .. } = &rendered.resource;
            let claim = Claim::Object { namespace: namespace.clone(), kind: *kind, name: name.clone() };
            (claim, used_at(rendered.entry))
        });
        claims.extend(objects);
        let is_valid = found.iter().all(|finding| finding.level != Level::Error);
        self.findings
            .extend(found.into_iter().map(|finding| LocatedFinding { file: Arc::clone(file), finding }));
        let (file, application) = (Arc::clone(file), application.clone());
        self.applications.push(RenderedApplication { file, application, resources, is_valid });
    }

    /// What several claim makes all of them invalid: none can be known to be the one that was meant.
    fn refuse_shared(&mut self, claims: Vec<(Claim, Use)>) {
        let mut refused = BTreeSet::new();
        for (claim, (file, place), (other_file, other)) in shared(claims) {
            let finding = claim.finding(&other_file, other).at(place);
            // One document knows its own clashes already.
            let is_known = self.findings.iter().any(|known| {
                known.file == file && known.finding.at == place && known.finding.rule == finding.rule
            });
            refused.insert((Arc::clone(&file), place));
            if !is_known {
                self.findings.push(LocatedFinding { file, finding });
            }
        }
        for RenderedApplication { file, application, is_valid, .. } in &mut self.applications {
            let mut places =
                [application.place].into_iter().chain(application.entries.iter().map(|entry| entry.place));
            *is_valid &= !places.any(|place| refused.contains(&(Arc::clone(file), place)));
        }
    }

    /// Checks the resources of all valid applications among each other.
    fn refuse_broken(&mut self, surroundings: &Surroundings) {
        let valid = self.applications.iter().enumerate().filter(|(_, application)| application.is_valid);
        let all = valid
            .flat_map(|(i, application)| application.resources.iter().map(move |rendered| (i, rendered)));
        let all: Vec<_> = all.collect();
        let resources: Vec<_> = all.iter().map(|(_, rendered)| &rendered.resource).collect();
        let mut refused = BTreeSet::new();
        for (number, found) in rules::check_all(&resources, surroundings) {
            let Some((i, rendered)) = all.get(number) else { continue };
            let Some(application) = self.applications.get(*i) else { continue };
            if found.level == Level::Error {
                refused.insert(*i);
            }
            let finding = rendered.located(found);
            self.findings.push(LocatedFinding { file: Arc::clone(&application.file), finding });
        }
        for (_, application) in self.applications.iter_mut().enumerate().filter(|(i, _)| refused.contains(i))
        {
            application.is_valid = false;
        }
    }

    pub fn applications(&self) -> &[RenderedApplication] {
        &self.applications
    }

    /// The applications that are taken away: namespace and name.
    pub fn removals(&self) -> &[(String, String)] {
        &self.removals
    }

    /// Everything that is wrong, and warnings, by file and place.
    pub fn findings(&self) -> &[LocatedFinding] {
        &self.findings
    }

    /// True if nothing is wrong.
    pub fn is_valid(&self) -> bool {
        self.findings.iter().all(|located| located.finding.level != Level::Error)
    }

    /// The resources of all valid applications, sorted by namespace, kind and name.
    pub fn resources(&self) -> Vec<&Resource> {
        let rendered = self.applications.iter().flat_map(|application| &application.resources);
        let mut resources: Vec<_> = rendered.map(|rendered| &rendered.resource).collect();
        resources.sort_by(|a, b| a.order().cmp(&b.order()));
        resources
    }
}

impl LocatedFinding {
    fn order(&self) -> (&str, Place, &str, Level, &str) {
        let Finding { at, field, level, reason, .. } = &self.finding;
        (&self.file, *at, field, *level, reason)
    }
}

impl fmt::Display for LocatedFinding {
    /// `file:line:column: field: reason; what would be right [rule]`, as compilers print it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        let Place { line, column } = self.finding.at;
        if line > 0 {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.finding)
    }
}
