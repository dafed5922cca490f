//! What applications had before, judged as if it were new.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use istio_config::{Catalog, Document, File, InForce, RenderCache};

use super::{
    applications::Applications,
    objects::Objects,
    plan::{ApplicationId, Namespaces, Resource, Setting},
};

/// The file of what an application had. No file of a repository ends so, and the guardrails of its directory hold.
const BEFORE: &str = " before";

/// What an application had at a commit.
#[derive(Clone, Debug)]
pub struct Had {
    pub objects: Vec<Resource>,
    file: Arc<str>,
    document: Document,
}

/// What these applications have at an earlier commit, of those that are valid there.
pub fn had(
    wanted: &BTreeSet<ApplicationId>,
    applications: &Applications,
    setting: &Setting,
) -> BTreeMap<ApplicationId, Had> {
    let is_wanted = |document: &Document| matches!(document, Document::Application(found) if wanted.contains(&found.id()));
    if !applications.files.iter().any(|(_, file)| file.documents().iter().any(is_wanted)) {
        return BTreeMap::new();
    }
    // What they refer to is in files without applications.
    let of_interest = applications
        .files
        .iter()
        .filter(|(_, file)| file.documents().is_empty() || file.documents().iter().any(is_wanted));
    let files: Vec<_> = of_interest.map(|(path, file)| (path.clone(), &**file)).collect();
    let catalog = Catalog::new(&files, &InForce::default(), setting, |path, setting| {
        setting.within(applications.guarded.limits(path))
    });
    let objects = catalog.to_be_in_force();
    let valid = catalog.applications().iter().filter(|own| own.is_valid);
    let valid = valid.filter(|own| wanted.contains(&own.application.id()));
    let had = valid.map(|own| {
        let id = own.application.id();
        let objects = objects.of(&id.0, &id.1).to_vec();
        let document = Document::Application(Arc::clone(&own.application));
        (id, Had { objects, file: Arc::clone(&own.file), document })
    });
    had.filter(|(_, had)| !had.objects.is_empty()).collect()
}

/// Those that are refused now, each with the reason: a document that took what another application has in force was refused
/// at its commit too, and does not get it by a later mistake.
pub fn refused(
    had: &BTreeMap<ApplicationId, Had>,
    applications: &Applications,
    in_force: &Namespaces<Objects>,
    setting: &Setting,
    cache: &mut RenderCache,
) -> BTreeMap<ApplicationId, String> {
    if had.is_empty() {
        return BTreeMap::new();
    }
    let without = |file: &Arc<File>| {
        let speaks = file.mentions().any(|found| had.contains_key(&found.id()));
        if speaks { Arc::new(file.without(|id| had.contains_key(id))) } else { Arc::clone(file) }
    };
    let now = applications.files.iter().map(|(path, file)| (Arc::clone(path), without(file)));
    let before = had.values().map(|had| {
        let file = File::of(had.document.clone());
        (Arc::from(format!("{}{BEFORE}", had.file)), Arc::new(file))
    });
    let files: Vec<(Arc<str>, Arc<File>)> = now.chain(before).collect();
    let files: Vec<_> = files.iter().map(|(path, file)| (Arc::clone(path), &**file)).collect();
    let in_force = in_force.iter().flat_map(|(namespace, known)| {
        known.applications().map(|(name, objects)| ((namespace.clone(), name.clone()), objects.to_vec()))
    });
    let catalog = Catalog::cached(cache, &files, &in_force.collect(), setting, |path, setting| {
        setting.within(applications.guarded.limits(path.strip_suffix(BEFORE).unwrap_or(path)))
    });
    let refused = catalog.frozen().iter().filter(|(id, _)| had.contains_key(*id));
    refused.map(|(id, why)| (id.clone(), why.to_string())).collect()
}
