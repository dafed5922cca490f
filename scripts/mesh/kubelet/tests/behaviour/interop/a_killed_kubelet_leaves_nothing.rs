use std::process::Stdio;

use anyhow::Result;
use serde_json::json;
use tokio::process::Command;

use super::node::{Api, no_names_of, subnet};

#[tokio::test]
async fn processes_namespaces_and_links_of_a_killed_kubelet_go_by_themselves() -> Result<()> {
    kubelet::check()?;
    let api = Api::start().await?;
    let folder = tempfile::tempdir()?;
    let images = folder.path().join("images.yaml");
    std::fs::write(&images, "- {image: shell, entrypoint: [sh, -c]}\n")?;
    let mut process = Command::new(env!("CARGO_BIN_EXE_kubelet"))
        .arg("--kubeconfig")
        .arg(api.server.kubeconfig("admin", &api.server.url())?)
        .arg("--images")
        .arg(images)
        .arg("--run-directory")
        .arg(folder.path().join("run"))
        .args(["--stem", "kk", "--gateway", &subnet().to_string()])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    // A process with a name that nobody else has.
    let mark = format!("sleep 86{}", std::process::id());
    let containers = json!([{"name": "app", "image": "shell", "args": [format!("{mark} & {mark}")]}]);
    api.run("orphan", json!({"containers": containers})).await?;
    api.until_ready("orphan").await?;
    assert!(runs(&mark), "{mark} runs");
    process.kill().await?;
    no_names_of("kk").await?;
    assert!(!runs(&mark), "{mark} does not run any more");
    Ok(())
}

/// True if a process has this command line.
fn runs(words: &str) -> bool {
    let wanted = format!("{}\0", words.replace(' ', "\0")).into_bytes();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path().join("cmdline"))
        .any(|file| std::fs::read(file).is_ok_and(|line| line == wanted))
}
