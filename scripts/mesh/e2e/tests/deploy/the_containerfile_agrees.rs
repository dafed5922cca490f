use std::fs;

use anyhow::{Context, Result};

use crate::container::containerfile;
use crate::manifests::{build, only};

#[test]
fn with_the_deployment_and_the_toolchain() -> Result<()> {
    let said = containerfile()?;
    let value =
        |name: &str| said.iter().rev().find(|(known, _)| known == name).map(|(_, rest)| rest.as_str());
    let objects = build("k8s/overlays/default")?;
    let pod = &only(&objects, "Deployment")?["spec"]["template"]["spec"];
    let user = format!("{}:{}", pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsGroup"]);
    assert_eq!(value("USER"), Some(user.as_str()));
    assert_eq!(value("EXPOSE"), Some(pod["containers"][0]["ports"][0]["containerPort"].to_string().as_str()));
    assert_eq!(value("ENTRYPOINT"), Some(r#"["/hfi"]"#));
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(pod["containers"][0]["image"], format!("localhost/hfi:{version}"));

    let top = harness::paths::workspace();
    let toolchain = fs::read_to_string(top.join("rust-toolchain.toml"))?;
    let channel = toolchain.split('"').nth(1).context("no channel")?;
    let base = said.iter().find(|(name, _)| name == "FROM").map(|(_, rest)| rest.as_str());
    assert!(
        base.is_some_and(|base| base.contains(&format!("rust:{channel}-"))),
        "{base:?} is not of {channel}"
    );
    // What is copied is there, and all that the workspace needs is copied.
    let copied: Vec<_> = said
        .iter()
        .filter(|(name, rest)| name == "COPY" && !rest.starts_with("--from"))
        .flat_map(|(_, rest)| rest.split(' ').rev().skip(1))
        .collect();
    for path in &copied {
        assert!(top.join(path).exists(), "{path} is copied, but is not there");
    }
    for member in [
        "Cargo.toml",
        "Cargo.lock",
        "rust-toolchain.toml",
        "policies",
        "filter",
        "reconciler",
        "scripts",
        "k8s",
    ] {
        assert!(copied.contains(&member), "{member} is not copied");
    }
    Ok(())
}
