//! Repositories of Helm charts, as their projects publish them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use harness::paths;
use serde_json::{Map, Value, json};

use crate::machine::wait_for;

/// Packs charts at some versions into a directory, with the index.
pub(super) async fn publish(directory: &Path, versions: &[&str], names: &[&str]) -> Result<()> {
    let mut entries = Map::new();
    for name in names {
        let mut entry = Vec::new();
        for version in versions {
            let packed = format!("{name}-{version}.tgz");
            pack(directory, name, version, &packed).await.with_context(|| format!("the chart {name}"))?;
            entry.push(json!({"apiVersion": "v2", "name": name, "version": version, "urls": [packed], "created": "2026-01-01T00:00:00Z"}));
        }
        entries.insert((*name).to_owned(), entry.into());
    }
    let index = json!({"apiVersion": "v1", "entries": entries, "generated": "2026-01-01T00:00:00Z"});
    Ok(fs::write(directory.join("index.yaml"), index.to_string())?)
}

/// The charts in the modules have no version: a release gives them theirs.
async fn pack(directory: &Path, name: &str, version: &str, packed: &str) -> Result<()> {
    let unpacked = directory.join("unpacked");
    fs::create_dir_all(&unpacked)?;
    let words = |paths: &[&Path]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    let mut copy = vec!["-R".to_owned()];
    copy.extend(words(&[&paths::world_program("charts", name)?, &unpacked.join(name)]));
    wait_for("cp", &copy).await?;
    let about = unpacked.join(name).join("Chart.yaml");
    let lines = fs::read_to_string(&about)?;
    let versioned = lines.lines().map(|line| match line.split_once(':') {
        Some((key @ ("version" | "appVersion"), _)) => format!("{key}: {version}\n"),
        _ => format!("{line}\n"),
    });
    fs::write(&about, versioned.collect::<String>())?;
    let mut tar = vec!["-czf".to_owned()];
    tar.extend(words(&[&directory.join(packed), Path::new("-C"), &unpacked, Path::new(name)]));
    wait_for("tar", &tar).await?;
    Ok(fs::remove_dir_all(&unpacked)?)
}

/// The version of a chart that a file of this checkout asks for.
pub(super) fn wanted(file: &str) -> Result<String> {
    let path = paths::workspace().join(file);
    let release: Value = serde_yaml::from_str(&fs::read_to_string(&path)?)?;
    let version = release.pointer("/spec/chart/spec/version").and_then(Value::as_str);
    Ok(version.with_context(|| format!("{file} names no version of a chart"))?.to_owned())
}
