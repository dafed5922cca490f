//! A cluster that has Istio already, and gets hfi from `flux/examples/existing-mesh`: the control plane alone. The
//! filter comes to a namespace by `flux/examples/filter`.

use std::path::Path;

use anyhow::{Result, ensure};
use harness::paths;
use kubelet::Images;
use world::{FluxWorld, hfi_image};

use super::production::sign_as;
use super::support::{settings, until_ready};
use crate::support::faults::{EVERY_FRONTEND, Faults, frontend};
use crate::support::plugins::module;
use crate::support::polls::all_poll;
use crate::support::release::next_release;
use crate::support::{PATIENCE, workload_image};

/// The namespace of `flux/examples/filter/sidecar.yaml`.
pub(super) const NAMESPACE: &str = "my-legacy";

/// The settings name the image, as in production.
pub(super) const IMAGE: &str = "registry.example/hfi";

/// The digests of two releases, both of which have an image.
pub(super) struct Releases {
    pub(super) last: String,
    pub(super) next: String,
}

/// A cluster with Istio and Flux, with the images `last` and `next`. The module of `last` is the one that the
/// manifests name; the image `next` has both modules.
pub(super) async fn start(directory: &Path) -> Result<(FluxWorld, String)> {
    let (next, image) = next_release(directory).await?;
    let (hfi, filter) = (paths::hfi()?, paths::filter()?);
    let last = hfi_image(&directory.join("last"), &hfi, &filter, &filter).await?;
    let (pattern, program) = workload_image();
    let releases = vec![(format!("{IMAGE}:last"), last), (format!("{IMAGE}:next"), image)];
    Ok((FluxWorld::beside_istio(Images::new().with(pattern, program), releases).await?, next))
}

/// Does what `flux/README.md` says of such a cluster, and runs a frontend that every request to has the fault.
pub(super) async fn step(world: &mut FluxWorld, next: String) -> Result<(Releases, Faults)> {
    sign_as(world.platform(), world, "alice").await?;
    world.platform().git(&["commit", "--quiet", "--allow-empty", "--message", "Sign"]).await?;
    world.platform().git(&["push", "--quiet", "origin", "main"]).await?;
    world.policies().write("every-frontend.yaml", EVERY_FRONTEND)?;
    world.policies().push("Break every frontend").await?;

    let (identity, known_hosts) = world.ssh()?;
    let identity = format!("--from-file=identity={}", identity.display());
    let known_hosts = format!("--from-literal=known_hosts={known_hosts}");
    let author =
        format!("--from-file=alice.sshpub={}", world.key("alice").await?.with_extension("pub").display());
    let secrets: [(&str, &[&str]); 2] =
        [("hfi-source", &[&identity, &known_hosts]), ("platform-authors", &[&author])];
    for (name, keys) in secrets {
        let create = ["create", "secret", "generic", name, "--namespace=flux-system"];
        world.kubectl(&[&create[..], keys].concat()).await?;
    }
    let image = format!("HFI_IMAGE={IMAGE}:last");
    let policies = "POLICIES_URL=https://git.example/sre/fault-policies.git";
    settings(world, &[policies, "POLICIES_INTERVAL=1s", &image]).await?;
    world.kubectl(&["create", "namespace", NAMESPACE]).await?;
    world.kubectl(&["label", "namespace", NAMESPACE, "istio-injection=enabled"]).await?;
    let flux = world.platform().work().join("flux");
    let file = |name: &str| flux.join(name).display().to_string();
    let in_flux_system = "--namespace=flux-system";
    world.kubectl(&["apply", in_flux_system, "--filename", &file("clusters/production/source.yaml")]).await?;
    world.kubectl(&["apply", "--kustomize", &file("examples/existing-mesh")]).await?;
    world.kubectl(&["apply", in_flux_system, "--filename", &file("examples/filter/sidecar.yaml")]).await?;
    until_ready(world).await?;

    let faults = frontend(world.world(), NAMESPACE).await?;
    faults.until("the fault in a sidecar", true, PATIENCE).await?;
    let last = module(world.world(), NAMESPACE).await?;
    ensure!(last != next, "both releases have the module {last}");
    all_poll(world.world_mut(), NAMESPACE, 1, PATIENCE).await?;
    Ok((Releases { last, next }, faults))
}
