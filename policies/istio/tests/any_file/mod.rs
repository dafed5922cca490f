//! What holds for every file, whatever bytes it has: for tests, and for the fuzz target `istio`.

use std::sync::Arc;

use istio_config::{
    Application, Catalog, Document, File, InForce, Kind, Level, Resource, Setting, backbone, render,
};

/// Panics if something does not hold.
pub(crate) fn holds(bytes: &[u8]) {
    let (file, setting) = (File::read(bytes), Setting::default());
    let files: [(Arc<str>, _); 1] = [("file.yaml".into(), &file)];
    let catalog = Catalog::new(&files, &InForce::default(), &setting, |_, setting| setting);
    let by_hand = catalog.check_by_hand(&files, &setting);
    catalog.findings().iter().chain(&by_hand).for_each(|finding| drop(finding.to_string()));
    for document in file.documents() {
        if let Document::Application(application) = document
            && let Some(resources) = rendered(application)
        {
            accepted(application, &resources);
            read_again(&resources);
            without_order(application, &resources);
            unmoved_by_patches(application, &resources);
        }
    }
}

/// The resources of an application, if it is valid.
fn rendered(application: &Application) -> Option<Vec<Resource>> {
    let (rendered, findings) = render(application, &Setting::default());
    let is_valid = findings.iter().all(|finding| finding.level != Level::Error);
    is_valid.then(|| rendered.into_iter().map(|rendered| rendered.resource).collect())
}

/// The oldest and the newest Istio know every field. The author's own `spec` may have fields of one of them.
fn accepted(application: &Application, resources: &[Resource]) {
    let text = format!("{application:?}");
    let has_own_fields = text.contains("MergePatch(");
    for resource in resources {
        let found = backbone::check(resource);
        let is_right = |level| has_own_fields && level != Level::Error;
        assert!(found.iter().all(|finding| is_right(finding.level)), "{found:?} in {}", resource.to_yaml());
    }
}

/// What is rendered reads as what it was, and is written the same again.
fn read_again(resources: &[Resource]) {
    for resource in resources {
        let text = resource.to_yaml();
        let file = File::read(text.as_bytes());
        let [raw] = file.raw() else { panic!("is no resource: {text}") };
        assert_eq!(raw.resource.to_yaml(), text);
        assert_eq!(raw.resource.order(), resource.order());
    }
}

/// The order of the entries decides nothing.
fn without_order(application: &Application, resources: &[Resource]) {
    let mut other = application.clone();
    other.entries.reverse();
    assert_eq!(rendered(&other).as_deref(), Some(resources));
}

/// The author's own fields change nothing but the `spec`.
fn unmoved_by_patches(application: &Application, resources: &[Resource]) {
    let mut other = application.clone();
    other.entries.iter_mut().for_each(|entry| entry.patch = None);
    let (plain, _) = render(&other, &Setting::default());
    // A `spec` of Istio's fields is no route of the Gateway API, and renders the other kind.
    if plain.iter().any(|rendered| Kind::GATEWAY_API.contains(&rendered.resource.kind)) {
        return;
    }
    let plain: Vec<_> = plain.iter().map(|rendered| outside(&rendered.resource)).collect();
    assert_eq!(resources.iter().map(outside).collect::<Vec<_>>(), plain);
}

/// A resource without its `spec`.
fn outside(resource: &Resource) -> Resource {
    Resource { spec: serde_json::Value::Null, ..resource.clone() }
}
