//! The paths of the things under test: the newest build, unless the environment names another.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The reconciler: `dist/hfi`, or what `HFI_BIN` names.
pub fn hfi() -> Result<PathBuf> {
    find("HFI_BIN", "dist/hfi", "scripts/build")
}

/// The filter module: `dist/filter.wasm`, or what `HFI_FILTER` names.
pub fn filter() -> Result<PathBuf> {
    find("HFI_FILTER", "dist/filter.wasm", "scripts/build")
}

/// Another build of the filter module, to compare with: what `HFI_OTHER_FILTER` names, if it is set.
pub fn other_filter() -> Option<PathBuf> {
    std::env::var_os("HFI_OTHER_FILTER").map(PathBuf::from)
}

/// The filter as tests alone have it: a request with the header `x-hfi-trap` traps its VM.
/// `target/trap/filter.wasm`, or what `HFI_FILTER_TRAP` names.
pub fn filter_that_traps() -> Result<PathBuf> {
    find("HFI_FILTER_TRAP", "target/trap/filter.wasm", "scripts/test e2e")
}

/// A filter that does nothing, to compare with: the build of `scripts/bench filter`, or what
/// `HFI_NOOP` names.
pub fn noop() -> Result<PathBuf> {
    find("HFI_NOOP", "target/wasm32-unknown-unknown/wasm/noop.wasm", "scripts/bench filter")
}

/// Envoy: the one that `scripts/tools demo` installs, or what `HFI_ENVOY` names.
pub fn envoy() -> Result<PathBuf> {
    find("HFI_ENVOY", ".cache/envoy/bin/envoy", "scripts/tools demo")
}

/// The program that [`envoy`] starts, if that is a launcher of Python's.
pub fn envoy_program() -> Result<PathBuf> {
    let envoy = envoy()?;
    let libraries = envoy.parent().and_then(Path::parent).map(|place| place.join("lib"));
    let pythons = libraries.into_iter().flat_map(std::fs::read_dir).flatten().flatten();
    let mut programs = pythons.map(|python| python.path().join("site-packages/envoy/_bin/envoy"));
    Ok(programs.find(|program| program.is_file()).unwrap_or(envoy))
}

/// A Python that has grpcio: the one that `scripts/tools e2e` installs, or what `HFI_PYTHON` names.
pub fn python() -> Result<PathBuf> {
    find_as_named("HFI_PYTHON", ".cache/grpc/bin/python", "scripts/tools e2e")
}

/// Schemathesis: the one that `scripts/tools interop` installs, or what `HFI_SCHEMATHESIS` names.
pub fn schemathesis() -> Result<PathBuf> {
    find("HFI_SCHEMATHESIS", ".cache/schemathesis/bin/schemathesis", "scripts/tools interop")
}

/// Node.js: the one that `scripts/tools interop` installs, or what `HFI_NODE` names.
pub fn node() -> Result<PathBuf> {
    find("HFI_NODE", ".cache/node/bin/node", "scripts/tools interop")
}

/// Chromium: Debian's, or what `HFI_CHROMIUM` names.
pub fn chromium() -> Result<PathBuf> {
    find("HFI_CHROMIUM", "/usr/bin/chromium", "scripts/tools interop")
}

/// A program of Kubernetes, etcd or Istio, or another file of theirs, as `scripts/world-programs` builds it.
pub fn world_program(family: &str, name: &str) -> Result<PathBuf> {
    let path = workspace().join(".cache/world").join(family).join(name);
    path.canonicalize().with_context(|| format!("{} is missing: run scripts/world-programs", path.display()))
}

/// Kustomize: the one that `scripts/tools deploy` unpacks, or what `HFI_KUSTOMIZE` names.
pub fn kustomize() -> Result<PathBuf> {
    find("HFI_KUSTOMIZE", ".cache/kustomize/usr/bin/kustomize", "scripts/tools deploy")
}

/// The policy repository that hfi ships: `policies/examples`.
pub fn examples() -> PathBuf {
    workspace().join("policies/examples")
}

fn find(variable: &str, built: &str, remedy: &str) -> Result<PathBuf> {
    // Children are started from other directories.
    Ok(find_as_named(variable, built, remedy)?.canonicalize()?)
}

/// The same, with symbolic links left alone: through such a link Python knows its environment.
fn find_as_named(variable: &str, built: &str, remedy: &str) -> Result<PathBuf> {
    let path = match std::env::var_os(variable) {
        Some(path) => PathBuf::from(path),
        None => workspace().join(built),
    };
    if !path.is_file() {
        bail!("{} is missing: run {remedy}, or set {variable}", path.display());
    }
    Ok(std::path::absolute(path)?)
}

/// The root of this workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}
