//! Certificates for servers with TLS.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

const KEY: [&str; 7] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];

/// Makes an authority (`ca.pem`), a certificate by it for this machine's loopback (`server.pem`, `server.key`),
/// and one for each client, by its name and its alternative names.
pub async fn certify(folder: &Path, clients: &[(&str, &str)]) -> Result<()> {
    let authority = ["req", "-x509", "-subj", "/CN=An authority", "-keyout", "ca.key", "-out", "ca.pem"];
    openssl(folder, &[&authority[..], &KEY].concat()).await?;
    issue(folder, "server", "IP:127.0.0.1,DNS:localhost,DNS:git.invalid").await?;
    for (name, names) in clients {
        issue(folder, name, names).await?;
    }
    Ok(())
}

/// Makes a certificate by the authority.
async fn issue(folder: &Path, name: &str, names: &str) -> Result<()> {
    let (key, certificate) = (format!("{name}.key"), format!("{name}.pem"));
    let (subject, names) = (format!("/CN={name}"), format!("subjectAltName={names}"));
    let request = ["req", "-x509", "-CA", "ca.pem", "-CAkey", "ca.key", "-subj", &subject];
    let extensions = ["-addext", &names, "-addext", "basicConstraints=critical,CA:FALSE"];
    let files = ["-keyout", &key, "-out", &certificate];
    openssl(folder, &[&request[..], &extensions, &files, &KEY].concat()).await
}

async fn openssl(folder: &Path, arguments: &[&str]) -> Result<()> {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output().await;
    let output = output.context("starting openssl")?;
    ensure!(output.status.success(), "openssl failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
