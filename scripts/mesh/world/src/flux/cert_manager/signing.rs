//! The controller of Certificates and ClusterIssuers: signs what a Certificate asks for, and says in the status of both
//! that they are ready.

use anyhow::{Context, Result};
use harness::certify;
use kube::api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde_json::{Value, json};

/// Who it is for the API server.
const MANAGER: &str = "cert-manager";

pub(super) async fn look(client: &Client) -> Result<()> {
    let certificates = kind("Certificate");
    for certificate in list(client, &certificates).await? {
        if !is_ready(&certificate) {
            sign(client, &certificate).await?;
            say_ready(client, &certificates, &certificate).await?;
        }
    }
    let issuers = kind("ClusterIssuer");
    for issuer in list(client, &issuers).await? {
        if !is_ready(&issuer) && can_sign(client, &issuer).await? {
            say_ready(client, &issuers, &issuer).await?;
        }
    }
    Ok(())
}

/// A kind of cert-manager.
fn kind(kind: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("cert-manager.io", "v1", kind))
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
