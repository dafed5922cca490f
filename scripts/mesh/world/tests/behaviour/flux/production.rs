//! The cluster of `flux/clusters/production`: the Secrets that it expects, and who signs.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use harness::Repository;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use world::FluxWorld;

use super::support::settings;

/// The secret of the forge's webhook.
pub(super) const WEBHOOK: &str = "the forge and Flux know this";

/// The secret that Flux and hfi share.
pub(super) const HOOKS: &str = "between us";

/// Creates what README.md says of production, with one who may sign.
pub(super) async fn prepare(world: &FluxWorld, signer: &str) -> Result<()> {
    for repository in [world.platform(), world.policies()] {
        sign_as(repository, world, signer).await?;
        repository.git(&["commit", "--quiet", "--allow-empty", "--message", "Sign"]).await?;
        repository.git(&["push", "--quiet", "origin", "main"]).await?;
    }
    let (identity, known_hosts) = world.ssh()?;
    let identity = format!("--from-file=identity={}", identity.display());
    let known_hosts = format!("--from-literal=known_hosts={known_hosts}");
    let author =
        format!("--from-file={signer}.sshpub={}", world.key(signer).await?.with_extension("pub").display());
    world.kubectl(&["create", "namespace", "boifi"]).await?;
    let webhook = format!("--from-literal=token={WEBHOOK}");
    let [token, hooks] = ["token", "secrets"].map(|key| format!("--from-literal={key}={HOOKS}"));
    let secrets: [(&str, &str, &[&str]); 9] = [
        // The one of `flux bootstrap`, which makes it itself.
        ("flux-system", "flux-system", &[&identity, &known_hosts]),
        ("flux-system", "hfi-source", &[&identity, &known_hosts]),
        ("flux-system", "platform-authors", &[&author]),
        ("flux-system", "on-call-webhook", &["--from-literal=address=https://chat.example/hooks/on-call"]),
        ("boifi", "hfi-git", &[&identity, &known_hosts]),
        ("boifi", "policy-authors", &[&author]),
        ("boifi", "hfi-hooks", &[&token, &hooks]),
        ("boifi", "hfi-peers", &["--from-literal=tokens=replicas the-replicas-know-this"]),
        ("boifi", "forge-webhook", &[&webhook]),
    ];
    for (namespace, name, keys) in secrets {
        let create = ["create", "secret", "generic", name, "--namespace", namespace];
        world.kubectl(&[&create[..], keys].concat()).await?;
    }
    settings(world, &["POLICIES_URL=ssh://git@git.example/sre/fault-policies.git", "POLICIES_INTERVAL=10m"])
        .await
}

/// From now on commits are signed with the key of this person.
pub(super) async fn sign_as(repository: &Repository, world: &FluxWorld, signer: &str) -> Result<()> {
    let key = world.key(signer).await?.display().to_string();
    for (name, value) in [("gpg.format", "ssh"), ("user.signingkey", &key), ("commit.gpgsign", "true")] {
        repository.git(&["config", name, value]).await?;
    }
    Ok(())
}

/// The HMAC of a text with SHA-256, in hexadecimal.
pub(super) async fn hmac(secret: &str, text: &str) -> Result<String> {
    let mut command = Command::new("openssl");
    let command = command.args(["dgst", "-sha256", "-r", "-hmac", secret]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().context("no input")?.write_all(text.as_bytes()).await?;
    let output = child.wait_with_output().await?;
    ensure!(output.status.success(), "openssl failed");
    let printed = String::from_utf8(output.stdout)?;
    Ok(printed.split_whitespace().next().context("openssl printed nothing")?.to_owned())
}
