//! Hands the rendered Istio configuration of applications to Flux, with `--istio-artifacts`.
//!
//! Each namespace has a ConfigMap with its archive, which every replica serves, and a Flux `ExternalArtifact` that
//! announces it. The leader writes both, and never deletes any.
//!
//! - `settings`: where they are.
//! - `stored`: the ConfigMap.
//! - `announced`: the `ExternalArtifact`.
//! - `archive_watch`: takes the archives of all ConfigMaps into memory.
//! - `notices`: tells people of what is frozen.
//! - `agreement`: what people have agreed to.
//! - `planning`: plans what the newest commit changes.
//! - `pace`: the namespaces that a release moves in a minute.
//! - `keeper`: the loop of the leader.

mod agreement;
mod announced;
pub(super) mod archive_watch;
pub(super) mod keeper;
mod notices;
mod pace;
mod planning;
mod settings;
mod stored;

pub use self::settings::Settings;

/// The name of the objects of a namespace.
fn name(namespace: &str) -> String {
    format!("hfi-istio-{namespace}")
}

/// The label of these objects that names the namespace.
const NAMESPACE_LABEL: &str = "hfi.dev/namespace";
/// The label of what hfi manages.
const MANAGER: (&str, &str) = ("app.kubernetes.io/managed-by", "hfi");
/// The name under which hfi writes.
const FIELD_MANAGER: &str = "hfi";
