//! Where the things under test lie: the newest build, unless the environment names another.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The reconciler: `dist/hfi`, or what `HFI_BIN` names.
pub fn hfi() -> Result<PathBuf> {
    find("HFI_BIN", "dist/hfi", "scripts/build")
}

/// The filter module: `dist/filter.wasm`, or what `HFI_FILTER` names.
pub fn filter() -> Result<PathBuf> {
    find("HFI_FILTER", "dist/filter.wasm", "scripts/build")
}

/// Envoy: the one that `scripts/tools` installs, or what `HFI_ENVOY` names.
pub fn envoy() -> Result<PathBuf> {
    find("HFI_ENVOY", ".cache/envoy/bin/envoy", "scripts/tools")
}

/// The policy repository that hfi ships: `policies/examples`.
pub fn examples() -> PathBuf {
    workspace().join("policies/examples")
}

fn find(variable: &str, built: &str, remedy: &str) -> Result<PathBuf> {
    let path = match std::env::var_os(variable) {
        Some(path) => PathBuf::from(path),
        None => workspace().join(built),
    };
    if !path.is_file() {
        bail!("{} is missing: run {remedy}, or set {variable}", path.display());
    }
    // Children are started from other folders.
    Ok(path.canonicalize()?)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
