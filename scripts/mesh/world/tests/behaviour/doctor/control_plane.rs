//! Faults of hfi itself, and of its repository.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use harness::{GitHttp, Repository};
use serde_json::Value;
use world::World;

use super::{ask, finds, finds_with};
use crate::person::types;
use crate::support::{control_plane, deploy, get, roll_out, serve};

const VIEWS: &str = "views-0123456789abcdef";
const SUBJECT: &str = "Deployment boifi/hfi-control-plane";

/// Nothing is installed, and nothing of Istio can be seen.
pub(crate) async fn is_missing(world: &World) -> Result<()> {
    finds(
        world,
        "nothing installed",
        &[
            [SUBJECT, "does not exist", "kubectl apply -k"],
            ["Istio", "no istiod was found", "--istio-namespace"],
            ["WasmPlugin", "does not exist", "apply one"],
        ],
    )
    .await?;
    Ok(())
}

/// Istio's version, as its Deployment tells it, and what it does not know.
pub(crate) async fn has_an_old_istio(world: &World, lack: &str) -> Result<()> {
    let image = async |tag: &str| {
        let words =
            format!("kubectl -n istio-system set image deployment/istiod discovery=istio/pilot:{tag}");
        types(world, &words).await
    };
    image("1.21.4").await?;
    finds(world, "an old Istio", &[["Istio 1.21.4", lack, "upgrade Istio"]]).await?;
    image("1.29.1").await?;
    Ok(())
}

/// What the repository and the halt file say.
pub(crate) async fn is_told_not_to(world: &World, policies: &Repository) -> Result<()> {
    policies.write("broken.yaml", "metadata: {name: broken}\nspec: {selektor: {}}\n")?;
    policies.write("lost.yaml", &crate::doctor::proxies::policy("lost", "frontend", "nowhere", "inbound"))?;
    policies.push("Break").await?;
    types(world, "kubectl -n boifi create configmap hfi-halt --from-literal=halt=").await?;
    finds(
        world,
        "a broken file, a wrong namespace, a halt",
        &[
            [SUBJECT, "is halted", "remove the halt file"],
            [SUBJECT, "files with errors, whose faults are not injected: broken.yaml", "`hfi validate`"],
            ["policy lost", "is for namespace nowhere", "correct the namespace"],
        ],
    )
    .await?;
    types(world, "kubectl -n boifi delete configmap hfi-halt").await?;
    policies.remove("broken.yaml")?;
    policies.remove("lost.yaml")?;
    policies.push("Mend").await?;
    Ok(())
}

/// The rights of its ServiceAccount.
pub(crate) async fn has_no_rights(world: &World, policies: &Repository) -> Result<()> {
    let rights = types(world, "kubectl -n boifi get rolebindings hfi-control-plane -o json").await?;
    types(world, "kubectl -n boifi delete rolebinding hfi-control-plane").await?;
    let words = [SUBJECT, "cannot do its duty in the cluster", "has the Role"];
    let deadline = harness::Deadline::of_costly("the doctor to miss the rights", super::PATIENCE);
    loop {
        let found = ask(world, "").await?;
        let is_it = |finding: &[String; 3]| finding.iter().zip(words).all(|(said, word)| said.contains(word));
        if !found.is_empty() && found.iter().all(is_it) {
            break;
        }
        deadline.pause().await.with_context(|| format!("{found:#?}"))?;
    }
    let mut rights: Value = serde_json::from_str(&rights)?;
    if let Some(metadata) = rights.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, _| key == "name" || key == "namespace");
    }
    world.apply(&[rights]).await?;
    // An Event that could not be written is told of until one is.
    policies.write("other.yaml", &crate::doctor::proxies::policy("other", "frontend", "demo", "inbound"))?;
    policies.push("Something to write of").await?;
    policies.remove("other.yaml")?;
    policies.push("And its end").await?;
    Ok(())
}

/// Git is away, and a third replica cannot begin.
pub(crate) async fn cannot_read(world: &World, policies: &Repository, git: GitHttp) -> Result<GitHttp> {
    drop(git);
    types(world, "kubectl -n boifi scale deployment hfi-control-plane --replicas=3").await?;
    finds(
        world,
        "Git away",
        &[
            [SUBJECT, "2 of 3 replicas are ready", "describe pods"],
            ["Pod boifi/hfi-control-plane", "does not answer", "logs hfi-control-plane"],
            [SUBJECT, "cannot read the policies", "check that the repository can be reached"],
        ],
    )
    .await?;
    let git = serve(world, policies).await?;
    types(world, "kubectl -n boifi scale deployment hfi-control-plane --replicas=2").await?;
    Ok(git)
}

/// One replica does not reach Git.
pub(crate) async fn is_behind(world: &World, policies: &Repository) -> Result<()> {
    let pods = get(world, "boifi", "pods").await?;
    let name = pods.pointer("/items/0/metadata/name").and_then(Value::as_str).context("no Pod")?;
    let network = world.kubelet().network_namespace("boifi", name).context("no namespace")?;
    let route = |what: &str| {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", network.display())).args(["ip", "route", what, "unreachable"]);
        let status = command.arg(world.address().to_string()).status()?;
        ensure!(status.success(), "ip route {what}");
        Ok(())
    };
    route("add")?;
    policies.write("other.yaml", &crate::doctor::proxies::policy("other", "frontend", "demo", "inbound"))?;
    policies.push("Go on").await?;
    finds(
        world,
        "a replica behind",
        &[
            [SUBJECT, "the replicas do not agree", "after one --interval"],
            [SUBJECT, "cannot read the policies", "check that the repository can be reached"],
        ],
    )
    .await?;
    route("del")?;
    policies.remove("other.yaml")?;
    policies.push("Go back").await?;
    Ok(())
}

/// Its reads are closed: with a token the doctor sees all, and replicas ask each other.
pub(crate) async fn asks_for_a_token(world: &World) -> Result<()> {
    let token = world.directory().join("view-token");
    fs::write(&token, VIEWS)?;
    let line = format!("'--from-literal=tokens=replicas {VIEWS}'");
    types(world, &format!("kubectl -n boifi create secret generic hfi-view {line}")).await?;
    control_plane("default")?.with_component("k8s/components/view")?.apply(world, None).await?;
    roll_out(world, "boifi", "hfi-control-plane").await?;
    let words = ["Pod boifi/hfi-control-plane", "asks for a token (--view-token-file)", "--token-file FILE"];
    finds(world, "closed reads", &[words, words]).await?;
    let options = format!("--token-file {}", token.display());
    finds_with(world, &options, "nothing wrong with a token", &[]).await?;
    deploy(world, "default").await
}

/// Too few of it.
pub(crate) async fn is_scaled_down(world: &World) -> Result<()> {
    for (replicas, message, next) in [
        (1, "has one replica", "replicas: 2"),
        (0, "is scaled to 0", "scale deployment hfi-control-plane --replicas=2"),
    ] {
        let scale = format!("kubectl -n boifi scale deployment hfi-control-plane --replicas={replicas}");
        types(world, &scale).await?;
        let next = finds(world, message, &[[SUBJECT, message, next]]).await?;
        if replicas == 0 {
            for step in next {
                super::follow(world, &step).await?;
            }
        }
    }
    roll_out(world, "boifi", "hfi-control-plane").await
}
