//! Problems of the Kustomizations of Flux that apply what hfi renders.
//!
//! One without a ServiceAccount applies with the rights of kustomize-controller, which may do everything. Whoever may make
//! a Kustomization can name an artifact of any namespace, unless kustomize-controller forbids it.

use super::{
    Finding,
    inventory::{Inventory, Link},
};

/// The kind of what hfi hands to Flux, and the beginning of its names.
const KIND: &str = "ExternalArtifact";
const NAME: &str = "hfi-istio-";
/// The arguments without which the rights of tenants do not hold.
const NEEDED: [(&str, &str); 2] = [
    (
        "--no-cross-namespace-refs=true",
        "a Kustomization of any namespace may apply an artifact of another one",
    ),
    (
        "--default-service-account=",
        "a Kustomization without a ServiceAccount has all rights of the controller",
    ),
];

pub(super) fn findings(inventory: &Inventory) -> Vec<Finding> {
    let is_of_hfi = |link: &&Link| {
        let source = &link.spec.source_ref;
        source.kind == KIND && source.name.starts_with(NAME)
    };
    let links: Vec<_> = inventory.links.iter().filter(is_of_hfi).collect();
    let unbound =
        links.iter().filter(|link| link.spec.service_account_name.as_ref().is_none_or(String::is_empty));
    let mut findings: Vec<_> = unbound
        .map(|link| {
            Finding::error(
                format!("Kustomization {}", link.metadata),
                format!("applies {} with the rights of kustomize-controller", link.spec.source_ref.name),
                format!(
                    "set `serviceAccountName: {}`, with the Role of flux/components/applications/tenant",
                    link.spec.source_ref.name
                ),
            )
        })
        .collect();
    if let Some(arguments) = inventory.applier.as_ref().filter(|_| !links.is_empty()) {
        let lacks = |needed: &str| {
            let is_it = |argument: &String| {
                argument.starts_with(needed) || needed.strip_suffix("=true") == Some(argument)
            };
            !arguments.iter().any(is_it)
        };
        let lacking = NEEDED.iter().filter(|(argument, _)| lacks(argument));
        findings.extend(lacking.map(|(argument, why)| {
            let argument = argument.replace("account=", "account=NAME");
            let next = format!("add `{argument}` to the arguments of kustomize-controller");
            Finding::error("Deployment kustomize-controller", *why, next)
        }));
    }
    findings
}
