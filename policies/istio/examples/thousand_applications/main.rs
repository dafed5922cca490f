//! Measures 1,000 applications that use all eleven sections: `scripts/bench istio`.

mod measured;
mod repository;

use std::{collections::BTreeMap, hint::black_box, sync::Arc, time::Duration};

use istio_config::{Catalog, Document, File, InForce, RenderCache, Setting, output, render};

use self::{
    measured::{measured, resident},
    repository::Repository,
};

fn main() {
    let repository = Repository::of(1_000, 50);
    let setting = Setting::default();
    println!("{} applications with eleven sections each: medians of processor time", repository.files.len());

    let aim = Some(Duration::from_secs(1));
    measured("read, rendered, and written as YAML", aim, || {
        repository.files.iter().map(|(_, text)| written(text, &setting)).collect::<Vec<_>>()
    });

    let before = resident();
    let all = repository.files.iter().chain(&repository.around);
    let all: Vec<_> = all.map(|(path, text)| (path.clone(), File::read(text.as_bytes()))).collect();
    let mut files: Vec<_> = all.iter().map(|(path, file)| (path.clone(), file)).collect();
    let aim = Some(Duration::from_secs(2));
    let catalog = measured("rendered, and checked alone and among each other", aim, || {
        Catalog::new(&files, &InForce::default(), &setting, |_, setting| setting)
    });
    println!("{:<52}{:>9.1} MiB", "memory of the documents and of what they render to", resident() - before);

    let first = repository.files.first().map(|(_, text)| text.as_str()).unwrap_or_default();
    let versions =
        ["# one\n", "# another\n"].map(|comment| File::read((comment.to_owned() + first).as_bytes()));
    let (mut cache, mut next) = (RenderCache::default(), versions.iter().cycle());
    let mut changed = || {
        if let (Some((_, file)), Some(next)) = (files.first_mut(), next.next()) {
            *file = next;
        }
        Catalog::cached(&mut cache, &files, &InForce::default(), &setting, |_, setting| setting)
    };
    let one = measured("the same after a change of one", None, &mut changed);
    let (other, mut rendered) = (changed(), 0);
    for (one, other) in one.applications().iter().zip(other.applications()) {
        rendered += usize::from(!Arc::ptr_eq(&one.resources, &other.resources));
    }
    assert_eq!(rendered, 1, "only what has changed is rendered");

    measured("written as one stream of YAML", None, || output::yaml(&catalog.resources()));
    measured("a hundred of them alone", None, || {
        repository.files.iter().take(100).map(|(_, text)| written(text, &setting)).sum::<usize>()
    });

    let mut rules = BTreeMap::<_, usize>::new();
    for located in catalog.findings() {
        *rules.entry((located.finding.level, located.finding.rule)).or_default() += 1;
    }
    println!("{} resources; findings by rule: {rules:?}", catalog.resources().len());
    assert!(catalog.is_valid(), "the applications are meant to be valid");
}

/// The resources of a file, as text.
fn written(text: &str, setting: &Setting) -> usize {
    let file = File::read(text.as_bytes());
    let applications = file.documents().iter().filter_map(|document| match document {
        Document::Application(application) => Some(application),
        Document::Removal { .. } => None,
    });
    let rendered = applications.flat_map(|application| render(application, setting).0);
    rendered.map(|rendered| black_box(rendered.resource.to_yaml()).len()).sum()
}
