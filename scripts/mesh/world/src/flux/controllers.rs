//! Flux's controllers, from the manifests of their modules, as `flux install` would deploy them.

use std::fs;
use std::path::Path;

use anyhow::Result;
use harness::paths;
use kubelet::{Images, Program};
use serde_json::{Value, json};

use crate::kubernetes::Kubectl;
use crate::machine::{GARBAGE, Node, wait_for};
use crate::pods::AUTHORITIES;

/// The namespace of Flux.
const NAMESPACE: &str = "flux-system";

/// All of them, as `flux install` has them.
pub(crate) const CONTROLLERS: [&str; 4] = ["source", "kustomize", "helm", "notification"];

/// Those that read Git and apply what is there.
pub(crate) const APPLYING: [&str; 2] = ["source", "kustomize"];

/// The one that the others tell what they do.
const TOLD: &str = "notification";

/// Those that tell it. `flux install` gives them its address.
const TELLING: &str = "(source|kustomize|helm)-controller";

/// Those that flux/README.md gives a feature gate, and that look again at what waits for something else.
const WAITING: &str = "(kustomize|helm)-controller";

/// The feature gate of flux/README.md.
const GATE: &str = "--feature-gates=CancelHealthCheckOnNewRevision=true";

/// The feature gate of flux/README.md for the one that applies artifacts.
const ARTIFACTS_GATE: &str = "--feature-gates=ExternalArtifact=true";

/// The one that applies.
const APPLIES: &str = "kustomize-controller";

/// The address of notification-controller.
const EVENTS: &str = "--events-addr=http://notification-controller.$(RUNTIME_NAMESPACE).svc.cluster.local./";

/// The image of each controller. They trust an authority, and nobody else.
pub(crate) fn images(mut images: Images, authority: &Path) -> Result<Images> {
    for name in CONTROLLERS {
        let program = paths::world_program(&format!("flux-{name}"), &format!("{name}-controller"))?;
        let program = Program::at(format!("/usr/local/bin/{name}-controller"), program)
            .file(AUTHORITIES, authority)
            .variable(GARBAGE.0, GARBAGE.1)
            .user(65534, 65534);
        images = images.with(&format!("fluxcd/{name}-controller:*"), program);
    }
    Ok(images)
}

/// Applies the CRDs and Deployments, and waits until the controllers are ready.
pub(crate) async fn install(node: &Node, kubectl: &Kubectl, controllers: &[&str]) -> Result<()> {
    let directory = node.directory().join("flux");
    fs::create_dir_all(&directory)?;
    let mut resources = vec!["namespace.json".to_owned(), "rights.json".to_owned()];
    for name in controllers {
        let own = directory.join(name).display().to_string();
        fs::create_dir(&own)?;
        for file in ["crds.yaml", "manager"] {
            let from = paths::world_program(&format!("flux-{name}"), file)?;
            wait_for("cp", &["-R".to_owned(), from.display().to_string(), own.clone()]).await?;
            resources.push(format!("{name}/{file}"));
        }
    }
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    fs::write(directory.join("namespace.json"), namespace.to_string())?;
    fs::write(directory.join("rights.json"), rights().to_string())?;
    // Half a minute for each step of the chain is long for a test.
    let mut patches = vec![argument(WAITING, "--requeue-dependency=1s")];
    if controllers.contains(&TOLD) {
        patches.push(argument(TELLING, EVENTS));
    }
    let kustomization = json!({"namespace": NAMESPACE, "resources": resources, "patches": patches});
    fs::write(directory.join("kustomization.yaml"), kustomization.to_string())?;
    let gated = node.directory().join("flux-gated");
    fs::create_dir_all(&gated)?;
    let gates = [argument(WAITING, GATE), argument(APPLIES, ARTIFACTS_GATE)];
    let kustomization = json!({"resources": ["../flux"], "patches": gates});
    fs::write(gated.join("kustomization.yaml"), kustomization.to_string())?;
    kubectl.run(&["apply", "--server-side", "--kustomize", &gated.display().to_string()]).await?;
    let available = ["wait", "--for=condition=Available", "deployment", "--all", "--timeout=90s"];
    kubectl.run(&[&available[..], &["--namespace", NAMESPACE]].concat()).await.map(drop)
}

/// The manifests of what is installed, as they are without the feature gate.
pub(crate) async fn manifests(node: &Node, kubectl: &Kubectl) -> Result<String> {
    kubectl.run(&["kustomize", &node.directory().join("flux").display().to_string()]).await
}

/// A patch that adds an argument to the controllers of these names.
fn argument(controllers: &str, argument: &str) -> Value {
    let step = json!({"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": argument});
    json!({"target": {"kind": "Deployment", "name": controllers}, "patch": json!([step]).to_string()})
}

/// All rights, as in each module.
fn rights() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "flux"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": NAMESPACE}],
    })
}
