//! `from`: callers.

use policies::reading::{Cursor, Value};

use crate::{
    values::{IpBlock, Label, ObjectName},
    written::{
        fields::{items, text},
        scope::Scope,
    },
};

/// Callers: whoever fits one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// `NAMESPACE/NAME`.
    pub service_accounts: Vec<String>,
    pub namespaces: Vec<String>,
    /// Whoever is in the mesh.
    pub is_anybody_of_mesh: bool,
    pub ip_blocks: Vec<IpBlock>,
    /// `ISSUER/SUBJECT` of a token.
    pub token_subjects: Vec<String>,
}

impl Sources {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

pub(super) fn read(field: &Cursor<'_>, scope: &Scope<'_>) -> Option<Sources> {
    let mut sources = Sources::default();
    items(field, |item| match item.value() {
        Value::Map(_) => by_address_or_token(&item, &mut sources),
        _ => by_identity(&item, scope, &mut sources),
    })?;
    Some(sources)
}

/// `sa`, `ns/sa`, `ns/*` or `*`.
fn by_identity(item: &Cursor<'_>, scope: &Scope<'_>, sources: &mut Sources) -> Option<()> {
    let text = item.string()?;
    if text == "*" {
        sources.is_anybody_of_mesh = true;
        return Some(());
    }
    if text.starts_with("spiffe://") || text.contains("/ns/") {
        item.report("is a SPIFFE id; write `NAMESPACE/SERVICE-ACCOUNT`");
        return None;
    }
    if let Some(namespace) = text.strip_suffix("/*") {
        sources.namespaces.push(item.accept(Label::try_from(namespace.to_owned()))?.to_string());
        return Some(());
    }
    sources.service_accounts.push(service_account(item, text, scope)?);
    Some(())
}

/// `sa` or `ns/sa`, as `NAMESPACE/NAME`.
pub(super) fn service_account(field: &Cursor<'_>, text: &str, scope: &Scope<'_>) -> Option<String> {
    let (namespace, account) = text.split_once('/').unwrap_or((scope.namespace.as_str(), text));
    let namespace = field.accept(Label::try_from(namespace.to_owned()))?;
    let account = field.accept(ObjectName::try_from(account))?;
    Some(format!("{namespace}/{account}"))
}

/// `{ip: CIDR}` or `{issuer, subject}`.
fn by_address_or_token(item: &Cursor<'_>, sources: &mut Sources) -> Option<()> {
    let mut fields = item.clone().fields()?;
    let ip = fields.take("ip").map(|field| field.accept(field.string()?.try_into()));
    let issuer = fields.read("issuer", text).optional();
    let subject = fields.read("subject", text).optional();
    fields.finish();
    match (ip, issuer?, subject?) {
        (Some(block), None, None) => sources.ip_blocks.push(block?),
        (None, Some(issuer), subject) => {
            sources.token_subjects.push(format!("{issuer}/{}", subject.as_deref().unwrap_or("*")));
        }
        _ => {
            item.report("must be `{ip: CIDR}`, or `{issuer: …, subject: …}` of a token");
            return None;
        }
    }
    Some(())
}
