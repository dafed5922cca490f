//! The layout of `flux bootstrap`: beside the beginning of a cluster a directory `flux-system`, with Flux's own manifests
//! and the source and the link that apply the cluster. `flux/README.md` says what to add to it.

use std::fs;

use anyhow::{Context, Result, ensure};
use harness::paths;
use serde_json::Value;
use world::FluxWorld;

use super::support::{edit, get};

const CLUSTER: &str = "flux/clusters/production";

/// What `flux bootstrap git` writes into `gotk-sync.yaml`.
const SYNC: &str = "\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata:
  name: flux-system
  namespace: flux-system
spec:
  interval: 1m0s
  ref:
    branch: main
  secretRef:
    name: flux-system
  url: ssh://git@git.example/platform/hfi.git
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: flux-system
  namespace: flux-system
spec:
  interval: 10m0s
  path: ./flux/clusters/production
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
";

/// Begins the cluster, which then applies itself.
pub(super) async fn begin(world: &FluxWorld) -> Result<()> {
    let file = |name: &str| format!("{CLUSTER}/flux-system/{name}");
    world.platform().write(&file("gotk-components.yaml"), &world.flux_manifests().await?)?;
    world.platform().write(&file("gotk-sync.yaml"), SYNC)?;
    let kustomization = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- gotk-components.yaml
- gotk-sync.yaml
";
    world.platform().write(&file("kustomization.yaml"), &format!("{kustomization}{}", patches()?))?;
    let resources = "resources:\n";
    let with_flux = format!("{resources}  - flux-system\n");
    edit(world, &format!("{CLUSTER}/kustomization.yaml"), resources, &with_flux)?;
    world.platform().push("Bootstrap").await?;
    let sync = world.platform().work().join(file("gotk-sync.yaml"));
    world.kubectl(&["apply", "--filename", &sync.display().to_string()]).await.map(drop)
}

/// Flux has applied itself with these patches: the controllers have the feature gate, once, and the source of the
/// cluster believes signatures only.
pub(super) async fn is_applied(world: &FluxWorld) -> Result<()> {
    for name in ["kustomize", "helm"] {
        let controller = get(world, &format!("deployment/{name}-controller"), "flux-system").await?;
        let labels =
            controller.pointer("/metadata/labels").and_then(Value::as_object).context("no labels")?;
        let owner = labels.get("kustomize.toolkit.fluxcd.io/name");
        ensure!(owner.is_some_and(|owner| owner == "flux-system"), "{name}: {labels:?}");
        let arguments = controller.pointer("/spec/template/spec/containers/0/args").and_then(Value::as_array);
        let gates =
            arguments.into_iter().flatten().filter(|word| word.to_string().contains("--feature-gates"));
        ensure!(gates.count() == 1, "{name}: {arguments:?}");
    }
    let source = get(world, "gitrepository/flux-system", "flux-system").await?;
    let verified = source.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let is_verified = |condition: &Value| {
        condition.get("type").is_some_and(|kind| kind == "SourceVerified")
            && condition.get("status").is_some_and(|status| status == "True")
    };
    ensure!(verified.into_iter().any(is_verified), "{source}");
    Ok(())
}

/// The patches that `flux/README.md` says belong there.
fn patches() -> Result<String> {
    let readme = fs::read_to_string(paths::workspace().join("flux/README.md"))?;
    let mut blocks = readme.split("```yaml\n").skip(1).filter_map(|block| Some(block.split_once("```")?.0));
    let block = blocks.find(|block| block.starts_with("patches:") && block.contains("GitRepository"));
    Ok(block.context("flux/README.md has no patches for flux bootstrap")?.to_owned())
}
