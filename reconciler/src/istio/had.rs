//! What applications had before, judged as if it were new.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use istio_config::{Catalog, Document, File, InForce};

use super::{
    applications::Applications,
    objects::Objects,
    plan::{ApplicationId, Namespaces, Resource, Setting},
};

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

/// Those that are refused beside what is in force now, each with the reason: a document that took what another application
/// has in force was refused at its commit too, and does not get it by a later mistake. What is not in force keeps nothing
/// from them.
pub fn refused(
    had: &BTreeMap<ApplicationId, Had>,
    applications: &Applications,
    in_force: &Namespaces<Objects>,
    setting: &Setting,
) -> BTreeMap<ApplicationId, String> {
    if had.is_empty() {
        return BTreeMap::new();
    }
    let around = applications.files.iter().map(|(path, file)| (path, file.without_applications()));
    let files = around.chain(had.values().map(|had| (&had.file, File::of(had.document.clone()))));
    let files: Vec<(&Arc<str>, File)> = files.collect();
    let files: Vec<_> = files.iter().map(|(path, file)| (Arc::clone(path), file)).collect();
    let objects = in_force.iter().flat_map(|(namespace, known)| {
        known.applications().map(|(name, objects)| ((namespace.clone(), name.clone()), objects.to_vec()))
    });
    let objects: InForce = objects.collect();
    let held: Vec<_> = objects.applications().map(|(id, _)| id.clone()).collect();
    let catalog = Catalog::new(&files, &objects.holding(held), setting, |path, setting| {
        setting.within(applications.guarded.limits(path))
    });
    let refused = catalog.frozen().iter().filter(|(id, _)| had.contains_key(*id));
    refused.map(|(id, why)| (id.clone(), why.to_string())).collect()
}
