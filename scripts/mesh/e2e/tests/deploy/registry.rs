//! A real registry, which asks for a login.

use std::fs;

use anyhow::Result;
use serde_json::json;
use tempfile::TempDir;

use crate::served::Served;

/// The user that may push, as the registry knows it (bcrypt) and as clients keep it (base64).
const HASHED: &str = "pusher:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";
pub(crate) const KEPT: &str = "cHVzaGVyOnNlY3JldA==";

/// A running registry. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Registry {
    /// Host and port.
    pub(crate) address: String,
    /// The header that a client sends that has logged in.
    pub(crate) authorization: String,
    /// With the `config.json` of somebody who has logged in.
    pub(crate) login: TempDir,
    _folder: TempDir,
    _served: Served,
}

impl Registry {
    pub(crate) async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let users = folder.path().join("users");
        fs::write(&users, HASHED)?;
        // JSON is YAML.
        let config = folder.path().join("config.yml");
        let settings = json!({
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": folder.path().join("blobs")}},
            "http": {"addr": "127.0.0.1:0"},
            "auth": {"htpasswd": {"realm": "test", "path": users}},
        });
        fs::write(&config, settings.to_string())?;
        let arguments = ["serve".to_owned(), config.to_string_lossy().into_owned()];
        let mut served = Served::start("docker-registry", &arguments)?;
        let address = served.says(listening).await?;

        let login = tempfile::tempdir()?;
        let known = json!({"auths": {&address: {"auth": KEPT}}});
        fs::write(login.path().join("config.json"), known.to_string())?;
        let authorization = format!("Basic {KEPT}");
        Ok(Self { address, authorization, login, _folder: folder, _served: served })
    }
}

fn listening(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("listening on ")?;
    let address: String = rest.chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect();
    (address.len() < rest.len()).then_some(address)
}
