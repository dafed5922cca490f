use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use harness::{http_client, paths};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::gatekeeper::Gatekeeper;
use crate::manifests::text;
use crate::registry::{KEPT, Registry};

const IMAGE: &str = "sre/hfi-filter:0.1.0";

fn push(registry: &Registry, reference: &str, login: bool) -> Result<Output> {
    let nobody = tempfile::tempdir()?;
    let config = if login { registry.login.path() } else { nobody.path() };
    Ok(Command::new(paths::workspace().join("scripts/push-filter"))
        .args([reference, "--plain-http", "--module"])
        .arg(paths::filter()?)
        .env("DOCKER_CONFIG", config)
        .output()?)
}

/// As Istio's agents do it: the manifest by the tag, its digest against `sha256`, and from its last layer
/// the file plugin.wasm.
#[tokio::test]
async fn and_is_the_same_when_it_comes_back() -> Result<()> {
    let registry = Registry::start().await?;
    let pushed = push(&registry, &format!("{}/{IMAGE}", registry.address), true)?;
    ensure!(pushed.status.success(), "{}", String::from_utf8_lossy(&pushed.stderr));
    let printed = String::from_utf8(pushed.stdout)?;
    let plugin: Value = serde_yaml::from_str(&printed)?;
    let (name, tag) = IMAGE.split_once(':').context("no tag")?;
    assert_eq!(text(&plugin, "/spec/url")?, format!("oci://{}/{IMAGE}", registry.address));

    let manifest = pull(&registry, &format!("/v2/{name}/manifests/{tag}")).await?;
    assert_eq!(text(&plugin, "/spec/sha256")?, hex(&manifest));
    let manifest: Value = serde_json::from_slice(&manifest)?;
    let layers = manifest["layers"].as_array().context("no layers")?;
    let layer = layers.last().context("no layer")?;
    assert_eq!(layer["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    let blob = pull(&registry, &format!("/v2/{name}/blobs/{}", text(layer, "/digest")?)).await?;
    assert_eq!(text(layer, "/digest")?, format!("sha256:{}", hex(&blob)));
    assert_eq!(unpacked(&blob)?, fs::read(paths::filter()?)?);
    let config = pull(&registry, &format!("/v2/{name}/blobs/{}", text(&manifest, "/config/digest")?)).await?;
    assert!(serde_json::from_slice::<Value>(&config)?["rootfs"]["diff_ids"][0].is_string());

    // The same module is the same image, at whatever time and by whatever client it is pushed.
    let again = push(&registry, &format!("{}/{IMAGE}", registry.address), true)?;
    assert_eq!(String::from_utf8(again.stdout)?, printed);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn also_where_a_login_is_exchanged_for_a_token() -> Result<()> {
    let registry = Registry::start().await?;
    let gatekeeper = Gatekeeper::before(&registry).await?;
    let login = json!({"auths": {gatekeeper.address.to_string(): {"auth": KEPT}}});
    fs::write(registry.login.path().join("config.json"), login.to_string())?;
    let pushed = push(&registry, &format!("{}/sre/other:1", gatekeeper.address), true)?;
    ensure!(pushed.status.success(), "{}", String::from_utf8_lossy(&pushed.stderr));
    let plugin: Value = serde_yaml::from_str(std::str::from_utf8(&pushed.stdout)?)?;
    assert_eq!(hex(&pull(&registry, "/v2/sre/other/manifests/1").await?), text(&plugin, "/spec/sha256")?);
    Ok(())
}

#[tokio::test]
async fn or_it_is_said_why_not() -> Result<()> {
    let registry = Registry::start().await?;
    let reference = format!("{}/{IMAGE}", registry.address);
    for (reference, login, reason) in [
        (reference.as_str(), false, "asks for a login"),
        ("127.0.0.1:1/sre/hfi-filter:0.1.0", true, "cannot reach 127.0.0.1:1"),
        ("hfi-filter", true, "is not REGISTRY/NAME:TAG"),
    ] {
        let output = push(&registry, reference, login)?;
        let said = String::from_utf8(output.stderr)?;
        assert!(!output.status.success() && said.contains(reason), "{reference}: {said}");
        assert!(output.stdout.is_empty());
    }
    Ok(())
}

async fn pull(registry: &Registry, path: &str) -> Result<Vec<u8>> {
    let client = http_client()?.build()?;
    let request = client
        .get(format!("http://{}{path}", registry.address))
        .header("accept", "application/vnd.oci.image.manifest.v1+json")
        .header("authorization", &registry.authorization);
    Ok(request.send().await?.error_for_status()?.bytes().await?.to_vec())
}

fn unpacked(layer: &[u8]) -> Result<Vec<u8>> {
    let mut tar = Command::new("tar")
        .args(["--extract", "--gzip", "--to-stdout", "plugin.wasm"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = tar.stdin.take().context("no input")?;
    let layer = layer.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&layer));
    let output = tar.wait_with_output()?;
    writer.join().map_err(|_| anyhow::anyhow!("the writer panicked"))??;
    Ok(output.stdout)
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
