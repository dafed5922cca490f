//! The versions of what hfi is installed with.

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Container};
use kube::{Api, Client, ResourceExt as _, api::ListParams};

/// The label of every object that a Kustomization of Flux applies.
const BY_FLUX: &str = "kustomize.toolkit.fluxcd.io/name";
/// The controller that does so, and its label with the version of Flux.
const CONTROLLER: &str = "app.kubernetes.io/component=kustomize-controller";
const VERSION: &str = "app.kubernetes.io/version";

/// The version of the API server.
pub(super) async fn kubernetes(client: &Client) -> kube::Result<String> {
    Ok(client.apiserver_version().await?.git_version)
}

/// The version of Flux, if it deploys the control plane.
pub(super) async fn flux(client: &Client, deployment: Option<&Deployment>) -> kube::Result<Option<String>> {
    if !deployment.is_some_and(|deployment| deployment.labels().contains_key(BY_FLUX)) {
        return Ok(None);
    }
    let deployments = Api::<Deployment>::all(client.clone());
    let controllers = deployments.list(&ListParams::default().labels(CONTROLLER)).await?;
    Ok(controllers.iter().find_map(|controller| controller.labels().get(VERSION).cloned()))
}

/// The arguments of the controller that applies Kustomizations, if there is one.
pub(super) async fn applier(client: &Client) -> kube::Result<Option<Vec<String>>> {
    let deployments = Api::<Deployment>::all(client.clone());
    let controllers = deployments.list(&ListParams::default().labels(CONTROLLER)).await?;
    let arguments = |controller: &Deployment| {
        let containers = &controller.spec.as_ref()?.template.spec.as_ref()?.containers;
        let arguments = containers.iter().flat_map(|Container { args, .. }| args.iter().flatten());
        Some(arguments.cloned().collect())
    };
    Ok(controllers.iter().find_map(arguments))
}
