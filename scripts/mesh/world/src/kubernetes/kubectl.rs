//! kubectl, as a person would use it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use harness::paths;
use serde_json::{Value, json};

use crate::machine::wait_for;

/// A kubectl that talks to one API server.
#[derive(Debug)]
pub(crate) struct Kubectl {
    program: PathBuf,
    options: [String; 2],
    /// What is applied, for whoever looks for the reason of a failure.
    applied: PathBuf,
}

impl Kubectl {
    /// The one of the world, with its files in a directory.
    pub(crate) fn new(kubeconfig: &Path, directory: &Path) -> Result<Self> {
        Ok(Self {
            program: paths::world_program("kubernetes", "kubectl")?,
            options: [
                format!("--kubeconfig={}", kubeconfig.display()),
                format!("--cache-dir={}", directory.join("kubectl").display()),
            ],
            applied: directory.join("applied.json"),
        })
    }

    /// Runs it to its end and returns what it printed.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<String> {
        let options = self.options.iter().map(String::as_str);
        wait_for(&self.program, &options.chain(arguments.iter().copied()).collect::<Vec<_>>()).await
    }

    /// Creates or changes objects; the server refuses fields that it does not know.
    pub(crate) async fn apply(&self, objects: &[Value]) -> Result<()> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        fs::write(&self.applied, list.to_string())?;
        self.apply_file(&self.applied).await
    }

    /// The same with the objects of a file.
    pub(crate) async fn apply_file(&self, file: &Path) -> Result<()> {
        let file = file.display().to_string();
        self.run(&["apply", "--server-side", "--force-conflicts", "--filename", &file]).await?;
        Ok(())
    }

    /// The object that the server would create, without creating it.
    pub(crate) async fn would_create(&self, object: &Value) -> Result<Value> {
        fs::write(&self.applied, object.to_string())?;
        let file = self.applied.display().to_string();
        let made = self.run(&["create", "--dry-run=server", "--output=json", "--filename", &file]).await?;
        Ok(serde_json::from_str(&made)?)
    }
}
