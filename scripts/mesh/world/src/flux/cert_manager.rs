//! A stand-in for the controllers of cert-manager: signs what a Certificate asks for, and says so in its status.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use harness::certify;
use k8s_openapi::ByteString;
use kube::api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use kubelet::{Images, Program};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// Who it is for the API server.
const MANAGER: &str = "cert-manager";

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

/// A kind of the cluster.
fn kind(group: &str, kind: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind))
}

async fn look(client: &Client, authority: &Path, signs: bool) -> Result<()> {
    for name in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
        inject(client, &kind("admissionregistration.k8s.io", name), authority).await?;
    }
    if !signs {
        return Ok(());
    }
    let certificates = kind("cert-manager.io", "Certificate");
    for certificate in list(client, &certificates).await? {
        if !is_ready(&certificate) {
            sign(client, &certificate).await?;
            say_ready(client, &certificates, &certificate).await?;
        }
    }
    let issuers = kind("cert-manager.io", "ClusterIssuer");
    for issuer in list(client, &issuers).await? {
        if !is_ready(&issuer) && can_sign(client, &issuer).await? {
            say_ready(client, &issuers, &issuer).await?;
        }
    }
    Ok(())
}

async fn list(client: &Client, kind: &ApiResource) -> Result<Vec<DynamicObject>> {
    Ok(Api::all_with(client.clone(), kind).list(&ListParams::default()).await?.items)
}

fn is_ready(object: &DynamicObject) -> bool {
    let condition = |field| object.data.pointer(&format!("/status/conditions/0/{field}"));
    condition("status").is_some_and(|status| status == "True")
        && condition("observedGeneration").and_then(Value::as_i64) == object.metadata.generation
}

async fn say_ready(client: &Client, kind: &ApiResource, object: &DynamicObject) -> Result<()> {
    let condition = json!({
        "type": "Ready", "status": "True", "reason": "Ready", "message": "by the stand-in of the world",
        "observedGeneration": object.metadata.generation, "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let patch = Patch::Merge(json!({"status": {"conditions": [condition]}}));
    of(client, kind, object).patch_status(name(object), &PatchParams::default(), &patch).await?;
    Ok(())
}

fn of(client: &Client, kind: &ApiResource, object: &DynamicObject) -> Api<DynamicObject> {
    match object.metadata.namespace.as_deref() {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, kind),
        None => Api::all_with(client.clone(), kind),
    }
}

fn name(object: &DynamicObject) -> &str {
    object.metadata.name.as_deref().unwrap_or_default()
}

/// Writes the Secret that a Certificate names.
async fn sign(client: &Client, certificate: &DynamicObject) -> Result<()> {
    let text = |place| certificate.data.pointer(place).and_then(Value::as_str);
    let secret = text("/spec/secretName").context("a Certificate without a Secret")?;
    let names = certificate.data.pointer("/spec/dnsNames").and_then(Value::as_array);
    let names = names.into_iter().flatten().filter_map(|name| Some(format!("DNS:{}", name.as_str()?)));
    let names = [format!("DNS:{secret}")].into_iter().chain(names).collect::<Vec<_>>().join(",");
    let directory = tempfile::tempdir()?;
    certify(directory.path(), &[("signed", &names)]).await?;
    let file = |name: &str| std::fs::read_to_string(directory.path().join(name));
    let data = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": secret},
        "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": file("signed.pem")?, "tls.key": file("signed.key")?, "ca.crt": file("ca.pem")?},
    });
    let namespace = certificate.metadata.namespace.as_deref().unwrap_or_default();
    let secrets = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &secrets());
    secrets.patch(secret, &PatchParams::apply(MANAGER).force(), &Patch::Apply(data)).await?;
    Ok(())
}

fn secrets() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Secret"))
}

/// An issuer with a Secret needs it; one without signs for itself.
async fn can_sign(client: &Client, issuer: &DynamicObject) -> Result<bool> {
    let Some(secret) = issuer.data.pointer("/spec/ca/secretName").and_then(Value::as_str) else {
        return Ok(true);
    };
    let secrets = Api::<DynamicObject>::namespaced_with(client.clone(), "cert-manager", &secrets());
    Ok(secrets.get_opt(secret).await?.is_some())
}

/// Writes the authority into the webhooks of cert-manager, as its cainjector does.
async fn inject(client: &Client, kind: &ApiResource, authority: &Path) -> Result<()> {
    let api = Api::<DynamicObject>::all_with(client.clone(), kind);
    let Some(found) = api.get_opt("cert-manager-webhook").await? else { return Ok(()) };
    let webhooks = found.data.pointer("/webhooks").and_then(Value::as_array).cloned().unwrap_or_default();
    let lacks = |webhook: &Value| webhook.pointer("/clientConfig/caBundle").is_none();
    if !webhooks.iter().any(lacks) {
        return Ok(());
    }
    let bundle = ByteString(std::fs::read(authority.join("ca.pem"))?);
    let steps = (0..webhooks.len()).map(
        |at| json!({"op": "add", "path": format!("/webhooks/{at}/clientConfig/caBundle"), "value": bundle}),
    );
    let patch = serde_json::from_value(Value::from_iter(steps))?;
    api.patch("cert-manager-webhook", &PatchParams::default(), &Patch::<()>::Json(patch)).await?;
    Ok(())
}
