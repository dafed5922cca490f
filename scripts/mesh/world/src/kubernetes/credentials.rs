//! The certificates of the API server, and the kubeconfig of the one user, who may do everything.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use harness::certify;
use serde_json::json;

use crate::machine::Node;

const TOKENS: &str = "admin,admin,admin,system:masters\n";

/// The files of the credentials.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) authority: PathBuf,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    pub(super) tokens: PathBuf,
    pub(super) kubeconfig: PathBuf,
}

impl Credentials {
    /// Writes them into a directory.
    pub(super) async fn write(node: &Node, directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let names = format!(
            "IP:{},IP:{},DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local",
            node.address(),
            node.api_service(),
        );
        certify(directory, &[("api", &names)]).await?;
        let file = |name: &str| directory.join(name);
        let credentials = Self {
            authority: file("ca.pem"),
            certificate: file("api.pem"),
            key: file("api.key"),
            tokens: file("tokens.csv"),
            kubeconfig: file("kubeconfig"),
        };
        fs::write(&credentials.tokens, TOKENS)?;
        let server = format!("https://{}:6443", node.address());
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": "world",
                "cluster": {"server": server, "certificate-authority": credentials.authority},
            }],
            "users": [{"name": "admin", "user": {"token": "admin"}}],
            "contexts": [{"name": "world", "context": {"cluster": "world", "user": "admin"}}],
            "current-context": "world",
        });
        fs::write(&credentials.kubeconfig, kubeconfig.to_string())?;
        Ok(credentials)
    }
}
