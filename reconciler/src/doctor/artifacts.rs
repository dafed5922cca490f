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
/// The most namespaces that a finding names.
const NAMED: usize = 5;
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
    let links: Vec<_> = inventory.links.iter().filter(|link| link.namespace().is_some()).collect();
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
    findings.extend(unseen(inventory));
    findings
}

/// A warning where hfi cannot see what Flux takes over.
fn unseen(Inventory { unseen, control_plane, .. }: &Inventory) -> Option<Finding> {
    let first: Vec<_> = unseen.iter().take(NAMED).map(String::as_str).collect();
    let more = unseen.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message = format!(
        "cannot see objects of Istio that others have made in {}{more}: Flux takes them over silently where a new one of \
         hfi has the same name",
        first.join(", ")
    );
    let next = "apply `k8s/components/istio-adoption`; until then look at `hfi diff --live` before an application is added";
    (!unseen.is_empty()).then(|| Finding::warning(format!("ServiceAccount {control_plane}"), message, next))
}

impl Link {
    /// The namespace that it applies an artifact of hfi for, if it does.
    pub(crate) fn namespace(&self) -> Option<&str> {
        let source = &self.spec.source_ref;
        source.name.strip_prefix(NAME).filter(|_| source.kind == KIND)
    }
}
