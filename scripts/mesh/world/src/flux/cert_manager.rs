//! A stand-in for the programs of cert-manager, which no registry has as modules.

mod signing;
mod webhooks;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use kube::Client;
use kubelet::{Images, Program};
use tokio::task::JoinHandle;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Running controllers. Dropping them stops them.
#[derive(Debug)]
pub(crate) struct CertManager {
    task: JoinHandle<()>,
    signs: Arc<AtomicBool>,
}

impl CertManager {
    /// The images of its Pods, which answer probes and admit everything.
    pub(crate) fn images(images: Images, authority: &Path, stand_in: &Path) -> Images {
        let program = Program::at("/cert-manager", stand_in)
            .file("/tls.pem", authority.join("webhook.pem"))
            .file("/tls.key", authority.join("webhook.key"))
            .user(65534, 65534);
        let check = Program::installed(&["true"]).user(65534, 65534);
        images
            .with("quay.io/jetstack/cert-manager-startupapicheck:*", check)
            .with("quay.io/jetstack/cert-manager-*", program)
    }

    /// Starts to look after a cluster, with the authority of the webhook's certificate.
    pub(crate) fn start(client: Client, authority: PathBuf) -> Self {
        let signs = Arc::new(AtomicBool::new(true));
        let may = Arc::clone(&signs);
        let task = tokio::spawn(async move {
            loop {
                // Until Flux has installed the CRDs, there is nothing to do.
                let _ = look(&client, &authority, may.load(Ordering::Relaxed)).await;
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { task, signs }
    }

    /// Lets it sign, or not.
    pub(crate) fn signs(&self, signs: bool) {
        self.signs.store(signs, Ordering::Relaxed);
    }
}

impl Drop for CertManager {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn look(client: &Client, authority: &Path, signs: bool) -> Result<()> {
    webhooks::look(client, authority).await?;
    if signs { signing::look(client).await } else { Ok(()) }
}
