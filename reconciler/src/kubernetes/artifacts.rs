//! Hands the rendered Istio configuration of applications to Flux, with `--istio-artifacts`.
//!
//! Each namespace has a ConfigMap with its archive, which every replica serves, and a Flux `ExternalArtifact` that
//! announces it. The leader writes both, and never deletes any.
//!
//! - `settings`: where they are.
//! - `stored`: the ConfigMap of a namespace; `config_maps`: those of all, as last read or written.
//! - `announced`: the `ExternalArtifact`.
//! - `archive_watch`: takes the archives of all ConfigMaps into memory.
//! - `notices`: tells people of what is frozen; `told`: what they know.
//! - `head`: the newest commit; `lookup`: objects of others that it would take over.
//! - `pace`: the namespaces that a release moves in a minute.
//! - `state`: the state of a namespace, for people.
//! - `writer`: writes what a namespace lacks; `keeper`: the loop of the leader.

mod announced;
pub(super) mod archive_watch;
mod config_maps;
mod head;
pub(super) mod keeper;
mod lookup;
mod notices;
mod pace;
mod settings;
mod state;
mod stored;
mod told;
mod writer;

use std::time::Duration;

use kube::api::{ListParams, PatchParams};

pub use self::settings::Settings;
use crate::istio::objects::MANAGED_BY;

/// The name of the objects of a namespace.
fn name(namespace: &str) -> String {
    format!("hfi-istio-{namespace}")
}

/// The annotation by which somebody agrees to what a commit removes.
const ALLOW_COMMIT: &str = "hfi.dev/allow-commit";
/// The label of these objects that names the namespace.
const NAMESPACE_LABEL: &str = "hfi.dev/namespace";
/// The name under which hfi writes.
const FIELD_MANAGER: &str = "hfi";
/// The longest time to read or write an archive.
const WRITE: Duration = Duration::from_secs(15);

/// What hfi manages.
fn ours() -> ListParams {
    ListParams::default().labels(&format!("{}={}", MANAGED_BY.0, MANAGED_BY.1))
}

/// Server-side apply: no other writer's fields are touched.
fn apply() -> PatchParams {
    PatchParams::apply(FIELD_MANAGER).force()
}
