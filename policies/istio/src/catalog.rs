//! All files of a repository together.

mod adoption;
mod assembly;
mod belongings;
mod by_hand;
mod claims;
mod context;
mod doubles;
mod judging;
mod limiting;
mod located;
mod render_cache;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use self::context::Standing;
pub use self::{located::LocatedFinding, render_cache::RenderCache};
use crate::{
    file::File,
    finding::Level,
    in_force::{ApplicationId, InForce},
    rendering::{Rendered, Setting},
    resource::{ObjectId, Resource},
    written::Application,
};

/// Every application of a repository, rendered, and everything that is wrong.
///
/// A pure function of the files and of what is in force: the same commit gives the same bytes. The unit is the
/// application: one that is wrong keeps what it has in force, and the others go on.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    applications: Vec<RenderedApplication>,
    removals: Vec<ApplicationId>,
    frozen: BTreeMap<ApplicationId, LocatedFinding>,
    /// What is in force of the frozen applications.
    kept: InForce,
    findings: Vec<LocatedFinding>,
    new: BTreeSet<ObjectId>,
    /// What is left out is of namespaces that are not for its file, or of objects of which another file says something else.
    standing: Standing,
    /// The warnings about the latter.
    doubles: Vec<LocatedFinding>,
}

/// An application and its resources.
#[derive(Clone, Debug)]
pub struct RenderedApplication {
    pub file: Arc<str>,
    pub application: Arc<Application>,
    /// What it is rendered for.
    pub setting: Arc<Setting>,
    /// Sorted; empty unless the application is valid.
    pub resources: Arc<[Rendered]>,
    pub is_valid: bool,
}

impl RenderedApplication {
    fn id(&self) -> ApplicationId {
        self.application.id()
    }
}

impl Catalog {
    /// Puts files together, by their paths. `setting` is that of the cluster; `guarded` changes it as the Guardrails
    /// for the file of a path want it.
    pub fn new(
        files: &[(Arc<str>, &File)],
        in_force: &InForce,
        setting: &Setting,
        guarded: impl Fn(&str, Setting) -> Setting,
    ) -> Self {
        Self::cached(&mut RenderCache::default(), files, in_force, setting, guarded)
    }

    /// The same. What the last catalog with this cache rendered, and has not changed, is not rendered again.
    pub fn cached(
        cache: &mut RenderCache,
        files: &[(Arc<str>, &File)],
        in_force: &InForce,
        setting: &Setting,
        guarded: impl Fn(&str, Setting) -> Setting,
    ) -> Self {
        assembly::catalog(cache, files, in_force, setting, guarded)
    }

    pub fn applications(&self) -> &[RenderedApplication] {
        &self.applications
    }

    /// The applications that their documents take away.
    pub fn removals(&self) -> &[ApplicationId] {
        &self.removals
    }

    /// The applications that are not as their documents say, and the first reason why. What they have in force
    /// stays; an application that was never in force has nothing.
    pub fn frozen(&self) -> &BTreeMap<ApplicationId, LocatedFinding> {
        &self.frozen
    }

    /// The objects that are not in force yet, and that no entry wants to take over. Others may have made them. Those of
    /// applications that are invalid for another reason are not among them.
    pub fn new_objects(&self) -> &BTreeSet<ObjectId> {
        &self.new
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
        let rendered = self.applications.iter().flat_map(|application| application.resources.iter());
        let mut resources: Vec<_> = rendered.map(|rendered| &rendered.resource).collect();
        resources.sort_by(|a, b| a.order().cmp(&b.order()));
        resources
    }

    /// What is to be in force: the resources of the valid applications, and what the frozen ones have.
    pub fn to_be_in_force(&self) -> InForce {
        let valid = self.applications.iter().map(|application| {
            let resources = application.resources.iter().map(|rendered| rendered.resource.clone());
            (application.id(), resources.collect())
        });
        let kept = self.kept.applications().map(|(id, resources)| (id.clone(), resources.to_vec()));
        valid.chain(kept).collect()
    }
}
