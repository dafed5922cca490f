use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use harness::{Client, Deadline, GitHttp, GitHttps, GitSsh, Repository, Request};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::container::{Container, Image, PREVIOUS};
use crate::manifests::{build, build_with, only, text};

const POLICY: &str = r#"
metadata: {name: errors}
spec:
  rules: [{fault: {percentage: 1, abort: {httpStatus: 503}}}]
"#;

#[tokio::test]
async fn from_its_probes_to_the_module_and_the_way_out() -> Result<()> {
    let repository = with_a_policy().await?;
    let git = GitHttp::start(repository.folder()).await?;
    let objects = build("k8s/overlays/default")?;
    let container = Image::new()?.start(&objects, &git.url(&name(&repository)?)).await?;
    let client = Client::new()?;
    let get = async |path: &str| client.send(container.address, &Request::get(path)).await;

    // The library that fetches, the child that it does so in, and the directories to write to: all there.
    let deployment = only(&objects, "Deployment")?;
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        let pointer = format!("/spec/template/spec/containers/0/{probe}/httpGet/path");
        let deadline = Deadline::of("a probe to succeed", Duration::from_secs(20));
        while !get(text(deployment, &pointer)?).await?.status.is_success() {
            deadline.pause().await.with_context(|| probe.to_owned())?;
        }
    }
    assert!(get("/v1/policies").await?.body.contains("errors"));
    assert!(
        fs::read_dir(container.image.volumes.path().join("state/state"))?.count() > 0,
        "no state is kept"
    );

    // What every plugin asks for is what is handed out.
    let plugins = build("k8s/plugin/sidecar")?;
    for plugin in &plugins {
        let url = text(plugin, "/spec/url")?;
        let path = url.find("/filter/").and_then(|at| url.get(at..)).context("no path")?;
        let module = client.send(container.address, &Request::get(path)).await?;
        assert_eq!(module.status, 200, "{path}: run scripts/stamp");
        assert_eq!(text(plugin, "/spec/sha256")?, hex(&fs::read(harness::paths::filter()?)?));
    }
    // And what proxies asked for before an upgrade.
    let previous = get(&format!("/filter/{}.wasm", hex(PREVIOUS))).await?;
    assert_eq!((previous.status.as_u16(), previous.body.as_bytes()), (200, PREVIOUS));

    // As the key `halt` of the ConfigMap hfi-halt appears in the mounted directory.
    fs::write(container.image.volumes.path().join("halt/halt"), "")?;
    let deadline = Deadline::of("the halt", Duration::from_secs(10));
    while serde_json::from_str::<Value>(&get("/v1/ready").await?.body)?["halted"] != true {
        deadline.pause().await?;
    }
    Ok(())
}

/// Certificates are trusted as the image has them, and the Secret is mounted as the component says.
#[tokio::test]
async fn with_a_login_over_https() -> Result<()> {
    let repository = with_a_policy().await?;
    let git = GitHttps::start(repository.folder(), "robot", "secret").await?;
    let image = Image::new()?;
    fs::copy(git.ca_file(), image.root.join("etc/ssl/certs/ca-certificates.crt"))?;
    image.secret("username", "robot")?;
    image.secret("password", "secret")?;
    reads(image.start(&build_with(&["git-https"])?, &git.url(&name(&repository)?)).await?).await
}

#[tokio::test]
async fn with_an_authority_of_ones_own() -> Result<()> {
    let repository = with_a_policy().await?;
    let git = GitHttps::start(repository.folder(), "robot", "secret").await?;
    let image = Image::new()?;
    image.secret("username", "robot")?;
    image.secret("password", "secret")?;
    image.secret("ca.crt", fs::read(git.ca_file())?)?;
    let objects = build_with(&["git-https", "git-ca"])?;
    reads(image.start(&objects, &git.url(&name(&repository)?)).await?).await
}

#[tokio::test]
async fn with_a_key_over_ssh() -> Result<()> {
    let repository = with_a_policy().await?;
    let git = GitSsh::start("ed25519").await?;
    let image = Image::new()?;
    image.secret("identity", fs::read(git.client_key())?)?;
    image.secret("known_hosts", git.known_host()?)?;
    reads(image.start(&build_with(&["git-ssh"])?, &git.url(&repository.bare())).await?).await
}

async fn with_a_policy() -> Result<Repository> {
    let repository = Repository::new().await?;
    repository.write("errors.yaml", POLICY)?;
    repository.push("a policy").await?;
    Ok(repository)
}

fn name(repository: &Repository) -> Result<String> {
    let bare = repository.bare();
    Ok(bare.file_name().context("no name")?.to_string_lossy().into_owned())
}

/// The policy is read and served.
async fn reads(container: Container) -> Result<()> {
    let client = Client::new()?;
    let deadline = Deadline::of("the policy to be served", Duration::from_secs(20));
    loop {
        let ready = client.send(container.address, &Request::get("/v1/ready")).await?;
        if ready.status.is_success() {
            let policies = client.send(container.address, &Request::get("/v1/policies")).await?;
            assert!(policies.body.contains("errors"), "{}", policies.body);
            return Ok(());
        }
        deadline.pause().await.with_context(|| ready.body)?;
    }
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
