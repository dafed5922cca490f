//! The rights that kustomize makes of the manifests are those that `hfi serve` needs, and no more: a real API
//! server grants them to the service account of the Deployment, and its audit log says what is done with them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use harness::{Deadline, KubeApi, paths};
use serde_json::{Value, json};

use crate::manifests::{Setting, at, build, build_with, build_with_all, environment, only, pod, text};
use crate::served::Served;

/// Longer than a replica waits between two tries to get the Lease.
const PATIENCE: Duration = Duration::from_secs(20);

const POLICY: &str = "metadata: {name: a}\nspec: {rules: [{fault: {percentage: 1, delay_ms: 1}}]}\n";

/// The kinds that decide on rights.
const KINDS: [&str; 5] = ["ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"];

/// A right, or its use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    group: String,
    /// With its subresource.
    resource: String,
    verb: String,
    /// The only object that it is about.
    name: Option<String>,
}

impl Right {
    fn is_used_by(&self, used: &Self) -> bool {
        (&self.group, &self.resource, &self.verb) == (&used.group, &used.resource, &used.verb)
            && self.name.as_ref().is_none_or(|name| used.name.as_ref() == Some(name))
    }
}

#[tokio::test]
async fn in_every_target() -> Result<()> {
    let mut tried: Vec<Vec<Value>> = Vec::new();
    for (target, objects) in targets()? {
        let rights = rights(&objects)?;
        if !tried.contains(&rights) {
            serves_with(&objects).await.with_context(|| target)?;
            tried.push(rights);
        }
    }
    Ok(())
}

/// Everything below `k8s` and `flux` that deploys the control plane, and each component.
fn targets() -> Result<Vec<(String, Vec<Value>)>> {
    let mut targets = vec![("all components".to_owned(), build_with_all()?)];
    for component in names("k8s/components")? {
        targets.push((format!("k8s/components/{component}"), build_with(&[component])?));
    }
    for folder in ["k8s/overlays", "flux/components/hfi", "flux/examples"] {
        for name in names(folder)? {
            let target = format!("{folder}/{name}");
            let kustomization = paths::workspace().join(&target).join("kustomization.yaml");
            let Ok(kustomization) = fs::read_to_string(kustomization) else { continue };
            if kustomization.contains("kind: Component") {
                continue;
            }
            let objects = build(&target)?;
            if objects.iter().any(is_control_plane) {
                targets.push((target, objects));
            }
        }
    }
    assert!(targets.len() > 12, "only {} targets", targets.len());
    Ok(targets)
}

fn names(folder: &str) -> Result<Vec<String>> {
    let entries = fs::read_dir(paths::workspace().join(folder))?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn is_control_plane(object: &Value) -> bool {
    at(object, "/kind") == "Deployment" && at(object, "/metadata/name") == "hfi-control-plane"
}

/// The objects that decide on rights, without what says nothing of them.
fn rights(objects: &[Value]) -> Result<Vec<Value>> {
    let account = text(pod(objects)?, "/serviceAccountName")?;
    let mut rights = vec![json!(account)];
    for object in objects.iter().filter(|object| KINDS.iter().any(|kind| at(object, "/kind") == kind)) {
        let mut object = object.clone();
        if let Some(metadata) = object.pointer_mut("/metadata").and_then(Value::as_object_mut) {
            metadata.remove("labels");
        }
        rights.push(object);
    }
    Ok(rights)
}

/// Applies the objects, and runs `hfi serve` with the token of the service account that the Deployment names.
async fn serves_with(objects: &[Value]) -> Result<()> {
    let api = KubeApi::empty().await?;
    let unknown = api.apply(objects).await?;
    for object in unknown {
        assert!(!KINDS.iter().any(|kind| at(object, "/kind") == kind), "{object}");
    }
    let namespace = text(only(objects, "Deployment")?, "/metadata/namespace")?;
    let account = text(pod(objects)?, "/serviceAccountName")?;
    let kubeconfig = api.kubeconfig_of(namespace, account).await?;
    let policies = tempfile::tempdir()?;
    fs::write(policies.path().join("a.yaml"), POLICY)?;
    let _serving = Served::start("env", &command(objects, &kubeconfig, policies.path())?)?;

    // What it may do to make an object is checked, and not logged, when it applies one that is not there. Services
    // are read if a plugin names one, and a plugin is changed if a proxy needs it: here the server does not even know
    // plugins, nor the other kinds of Istio and the Gateway API. A token is reviewed for a change, and a directory takes
    // none: `a_service_account_changes_policies` shows it.
    const UNLOGGED: [(&str, &str); 10] = [
        ("policysources", "create"),
        ("services", "list"),
        ("services", "watch"),
        ("wasmplugins", "watch"),
        ("wasmplugins", "patch"),
        ("gateways", "watch"),
        ("serviceentries", "watch"),
        ("sidecars", "watch"),
        ("peerauthentications", "watch"),
        ("tokenreviews", "create"),
    ];
    // A directory has no commits, and so no artifacts: `applications_are_handed_to_flux` shows what is done with these.
    const OF_ARTIFACTS: [&str; 3] = ["configmaps", "externalartifacts", "externalartifacts/status"];
    // Nor are objects of others looked for: `what_others_have_made_is_not_taken_over` shows that.
    const OF_ADOPTION: [&str; 4] =
        ["networking.istio.io", "security.istio.io", "telemetry.istio.io", "gateway.networking.k8s.io"];
    let unlogged = |right: &Right| {
        let resource = right.resource.as_str();
        OF_ARTIFACTS.contains(&resource)
            || OF_ADOPTION.contains(&right.group.as_str()) && right.verb == "get"
            || UNLOGGED.contains(&(resource, &right.verb))
    };
    let granted = granted(objects)?;
    assert!(granted.len() > 8, "{granted:?}");
    let user = format!("system:serviceaccount:{namespace}:{account}");
    let deadline = Deadline::of("each right to be used", PATIENCE);
    loop {
        let requests = api.requests_of(&user)?;
        // The decision is logged with the answer. A watch that goes on has none yet.
        for request in requests.iter().filter(|request| at(request, "/stage") != "RequestReceived") {
            let decision = request.pointer("/annotations/authorization.k8s.io~1decision");
            assert_eq!(decision, Some(&json!("allow")), "{request}");
        }
        let used: Vec<_> = requests.iter().filter_map(used).collect();
        let is_unused = |right: &&Right| !used.iter().any(|used| right.is_used_by(used)) && !unlogged(right);
        let unused: Vec<_> = granted.iter().filter(is_unused).collect();
        if unused.is_empty() {
            return Ok(());
        }
        deadline.pause().await.with_context(|| format!("never used: {unused:?}"))?;
    }
}

fn command(objects: &[Value], kubeconfig: &Path, policies: &Path) -> Result<Vec<String>> {
    let words = ["serve", "--kubernetes", "--listen", "127.0.0.1:0", "--dir"];
    let mut command = vec![format!("KUBECONFIG={}", kubeconfig.display())];
    for (name, setting) in environment(objects)? {
        if let Setting::Is(mode) = setting
            && name == "HFI_PROXIES"
        {
            command.push(format!("{name}={mode}"));
        }
    }
    command.push(paths::hfi()?.display().to_string());
    command.extend(words.map(ToOwned::to_owned));
    command.push(policies.display().to_string());
    Ok(command)
}

/// The rights that the Roles among the objects give.
fn granted(objects: &[Value]) -> Result<BTreeSet<Right>> {
    let mut granted = BTreeSet::new();
    let is_role = |object: &&Value| ["Role", "ClusterRole"].iter().any(|kind| at(object, "/kind") == kind);
    for role in objects.iter().filter(is_role) {
        for rule in at(role, "/rules").as_array().context("no rules")? {
            let list = |key: &str| -> Vec<String> {
                let words = at(rule, &format!("/{key}")).as_array().into_iter().flatten();
                words.filter_map(|word| Some(word.as_str()?.to_owned())).collect()
            };
            let names = list("resourceNames");
            let names = if names.is_empty() { vec![None] } else { names.into_iter().map(Some).collect() };
            for group in list("apiGroups") {
                for resource in list("resources") {
                    for verb in list("verbs") {
                        granted.extend(names.iter().map(|name| Right {
                            group: group.clone(),
                            resource: resource.clone(),
                            verb: verb.clone(),
                            name: name.clone(),
                        }));
                    }
                }
            }
        }
    }
    Ok(granted)
}

/// The right that a request used; none is needed to find out what the server knows.
fn used(request: &Value) -> Option<Right> {
    let of = |key: &str| at(request, &format!("/objectRef/{key}")).as_str().map(ToOwned::to_owned);
    let subresource = of("subresource").map(|name| format!("/{name}")).unwrap_or_default();
    Some(Right {
        group: of("apiGroup").unwrap_or_default(),
        resource: of("resource")? + &subresource,
        verb: at(request, "/verb").as_str()?.to_owned(),
        name: of("name"),
    })
}
