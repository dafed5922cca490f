//! The objects of a target, as `kubectl apply -k` would send them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use harness::paths;
use serde_json::Value;

/// The objects that kustomize makes of a directory of ours.
pub(crate) fn build(target: &str) -> Result<Vec<Value>> {
    build_in(&paths::workspace().join(target))
}

/// The objects of `k8s/overlays/default` with every component.
pub(crate) fn build_with_all() -> Result<Vec<Value>> {
    let components = std::fs::read_dir(paths::workspace().join("k8s/components"))?;
    let names = components.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    build_with(&names.collect::<Result<Vec<_>>>()?)
}

/// The objects of `k8s/overlays/default` with some of the components.
pub(crate) fn build_with(components: &[impl AsRef<str>]) -> Result<Vec<Value>> {
    let folder = tempfile::tempdir()?;
    // Kustomize takes relative paths only.
    let here = folder.path().canonicalize()?;
    let manifests = paths::workspace().join("k8s").canonicalize()?;
    let up = "../".repeat(here.components().count() - 1);
    let relative =
        |path: &str| format!("{up}{}/{path}", manifests.display().to_string().trim_start_matches('/'));
    let components: Vec<_> =
        components.iter().map(|name| relative(&format!("components/{}", name.as_ref()))).collect();
    let kustomization =
        serde_json::json!({"resources": [relative("overlays/default")], "components": components});
    std::fs::write(here.join("kustomization.yaml"), kustomization.to_string())?;
    build_in(&here)
}

fn build_in(folder: &Path) -> Result<Vec<Value>> {
    let output = Command::new(paths::kustomize()?).arg("build").arg(folder).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_yaml::from_multiple(std::str::from_utf8(&output.stdout)?)?)
}

/// The only object of that kind.
pub(crate) fn only<'a>(objects: &'a [Value], kind: &str) -> Result<&'a Value> {
    let mut found = objects.iter().filter(|object| at(object, "/kind") == kind);
    let first = found.next().with_context(|| format!("there is no {kind}"))?;
    ensure!(found.next().is_none(), "there are several {kind}");
    Ok(first)
}

/// The value of an object at a place, such as `/spec/ports`; null if nothing.
pub(crate) fn at<'a>(object: &'a Value, pointer: &str) -> &'a Value {
    object.pointer(pointer).unwrap_or(&Value::Null)
}

/// The pod of the only Deployment.
pub(crate) fn pod(objects: &[Value]) -> Result<&Value> {
    Ok(at(only(objects, "Deployment")?, "/spec/template/spec"))
}

/// A text within an object, such as `/spec/url`.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> Result<&'a str> {
    let value = object.pointer(pointer).with_context(|| format!("{pointer} is missing in {object}"))?;
    value.as_str().with_context(|| format!("{pointer} is not a text in {object}"))
}

/// The origin of a variable's value.
#[derive(Debug)]
pub(crate) enum Setting {
    Is(String),
    /// This key of the Secret `hfi-git`.
    OfSecret(String),
}

/// The environment of the control plane's container by the objects.
pub(crate) fn environment(objects: &[Value]) -> Result<Vec<(String, Setting)>> {
    let settings = objects
        .iter()
        .find(|object| at(object, "/kind") == "ConfigMap" && at(object, "/data/HFI_STATE_DIR").is_string())
        .context("there is no ConfigMap with settings")?;
    let container = at(pod(objects)?, "/containers/0");
    ensure!(at(container, "/envFrom/0/configMapRef/name") == at(settings, "/metadata/name"), "{container}");
    let data = at(settings, "/data").as_object().context("no data")?;
    let mut variables = Vec::new();
    for (name, value) in data {
        variables.push((name.clone(), Setting::Is(text(value, "")?.to_owned())));
    }
    for variable in at(container, "/env").as_array().into_iter().flatten() {
        let reference = at(variable, "/valueFrom/secretKeyRef");
        ensure!(at(reference, "/name") == "hfi-git", "{variable}");
        let key = text(reference, "/key")?.to_owned();
        variables.push((text(variable, "/name")?.to_owned(), Setting::OfSecret(key)));
    }
    Ok(variables)
}
