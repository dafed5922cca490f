//! Catalogs of short texts, and what is in force by another catalog.

use std::sync::Arc;

use istio_config::{Catalog, File, InForce, Limits, Setting, output};
use policies::File as PolicyFile;

/// A document of an application in `NAMESPACE/NAME`, with this spec in flow style.
pub(crate) fn application(name: &str, spec: &str) -> String {
    let (namespace, name) = name.split_once('/').unwrap();
    format!(
        "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"
    )
}

/// The catalog of files, by their paths.
pub(crate) fn catalog<T: AsRef<str>>(files: &[(&str, T)], in_force: &InForce) -> Catalog {
    guarded(files, in_force, |_, setting| setting)
}

/// The same, with a setting for each path.
pub(crate) fn guarded<T: AsRef<str>>(
    files: &[(&str, T)],
    in_force: &InForce,
    guarded: impl Fn(&str, Setting) -> Setting,
) -> Catalog {
    let read = |(path, text): &(&str, T)| (Arc::from(*path), File::read(text.as_ref().as_bytes()));
    let files: Vec<(Arc<str>, File)> = files.iter().map(read).collect();
    let files: Vec<_> = files.iter().map(|(path, file)| (Arc::clone(path), file)).collect();
    Catalog::new(&files, in_force, &Setting::default(), guarded)
}

/// A setting within a Guardrail for files of `evil/`, which may speak of the namespace `evil` alone.
pub(crate) fn evil_keeps_to_itself(path: &str, setting: Setting) -> Setting {
    let guardrail = PolicyFile::read(b"kind: Guardrail\nspec: {istio: {namespaces: [evil]}}\n");
    let limits: Vec<_> = guardrail.guardrails().unwrap().iter().map(|guardrail| &guardrail.istio).collect();
    setting.within(Limits::of(if path.starts_with("evil/") { &limits } else { &[] }))
}

/// What is in force after files without any mistake, read as the cluster's artifact is.
pub(crate) fn in_force<T: AsRef<str>>(files: &[(&str, T)]) -> InForce {
    let catalog = catalog(files, &InForce::default());
    assert!(catalog.is_valid(), "{:?}", findings(&catalog));
    let directory = output::directory(&catalog.resources());
    let files = directory.iter().map(|(path, text)| (path.as_str(), text.as_bytes()));
    let in_force = InForce::read(files).unwrap();
    assert_eq!(in_force, catalog.to_be_in_force());
    in_force
}

pub(crate) fn findings(catalog: &Catalog) -> Vec<String> {
    catalog.findings().iter().map(ToString::to_string).collect()
}

/// The names of what is to be in force.
pub(crate) fn names(in_force: &InForce) -> Vec<String> {
    let name = |resource: &istio_config::Resource| format!("{}/{}", resource.namespace, resource.name);
    in_force.resources().map(name).collect()
}
