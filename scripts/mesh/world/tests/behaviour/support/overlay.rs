//! Overlays of the repository's manifests, as somebody who installs hfi would write them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use harness::paths;
use serde_json::{Value, json};
use world::World;

/// A kustomization of a directory of the repository. `kubectl` gets it as a directory of this name.
#[derive(Clone, Debug)]
pub(crate) struct Overlay {
    name: String,
    kustomization: Value,
    files: Vec<(&'static str, String)>,
}

impl Overlay {
    /// The directory as it is.
    pub(crate) fn of(name: &str, directory: &str) -> Result<Self> {
        let kustomization = json!({"resources": [relative(directory)?]});
        Ok(Self { name: name.to_owned(), kustomization, files: Vec::new() })
    }

    /// Adds a component, which is a directory of the repository.
    pub(crate) fn with_component(self, directory: &str) -> Result<Self> {
        let component = relative(directory)?;
        Ok(self.with("components", json!([component])))
    }

    /// Adds a field of the kustomization.
    pub(crate) fn with(mut self, field: &str, value: Value) -> Self {
        if let Some(fields) = self.kustomization.as_object_mut() {
            fields.insert(field.to_owned(), value);
        }
        self
    }

    /// Adds a patch of every plugin.
    pub(crate) fn with_plugin(mut self, patch: String) -> Self {
        self.files.push(("module.yaml", patch));
        let target = json!({"group": "extensions.istio.io", "kind": "WasmPlugin"});
        self.with("patches", json!([{"path": "module.yaml", "target": target}]))
    }

    /// Applies it, as `kubectl apply -k` does; in a namespace if it has none itself.
    pub(crate) async fn apply(&self, world: &World, namespace: Option<&str>) -> Result<()> {
        let directory = world.directory().join("overlays").join(&self.name);
        fs::create_dir_all(&directory)?;
        let write =
            |name: &str, text: &str| fs::write(directory.join(name), text).with_context(|| name.to_owned());
        write("kustomization.yaml", &self.kustomization.to_string())?;
        for (name, text) in &self.files {
            write(name, text)?;
        }
        apply(world, namespace, &directory).await
    }
}

/// The path of a directory of the repository from wherever the overlay lies. Kustomize takes relative paths only; this
/// one leads from any depth to the root.
fn relative(directory: &str) -> Result<String> {
    let directory = paths::workspace().join(directory).canonicalize()?;
    Ok(format!("{}{}", "../".repeat(32), directory.display().to_string().trim_start_matches('/')))
}

/// Applies a directory.
async fn apply(world: &World, namespace: Option<&str>, directory: &Path) -> Result<()> {
    let directory = directory.display().to_string();
    let mut words = vec!["apply", "--kustomize", &directory];
    words.extend(namespace.into_iter().flat_map(|namespace| ["--namespace", namespace]));
    world.kubectl(&words).await?;
    Ok(())
}
