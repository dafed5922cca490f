//! The injector of authorities: without it the API server trusts no webhook of cert-manager.

use std::path::Path;

use anyhow::Result;
use k8s_openapi::ByteString;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde_json::{Value, json};

pub(super) async fn look(client: &Client, authority: &Path) -> Result<()> {
    for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
        inject(client, kind, authority).await?;
    }
    Ok(())
}

/// Writes the authority into the webhooks of this kind.
async fn inject(client: &Client, kind: &str, authority: &Path) -> Result<()> {
    let kind = GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind);
    let api = Api::<DynamicObject>::all_with(client.clone(), &ApiResource::from_gvk(&kind));
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
