//! The rules for what a policy selects: the namespaces of the user, and policies without a selector.

use policies::{
    editing::Document,
    language::{Selector, Target},
};

use super::outcome::Refusal;
use crate::access::rights::Rights;

/// A document with its selector, and a warning where that was added.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) document: Document,
    pub(super) warning: Option<String>,
}

/// Checks what a document selects that replaces another, or is new.
pub(super) fn check(
    document: &Document,
    existing: Option<&Document>,
    rights: &Rights,
    allow_wildcard: bool,
) -> Result<Selected, Refusal> {
    let selected = with_selector(document, existing, rights)?;
    if let Some(replaced) = existing.and_then(selector) {
        covered(replaced, rights)?;
    }
    let Some(selector) = selector(&selected.document) else { return Ok(selected) };
    covered(selector, rights)?;
    let is_new = existing.and_then(self::selector).is_none_or(|replaced| *replaced != Selector::any());
    if is_new && *selector == Selector::any() {
        may_select_all(document, rights, allow_wildcard)?;
    }
    Ok(selected)
}

/// Checks that a policy may be removed.
pub(super) fn may_remove(existing: Option<&Document>, rights: &Rights) -> Result<(), Refusal> {
    match existing.and_then(selector) {
        Some(selector) => covered(selector, rights),
        None if rights.namespaces.is_some() => Err(Refusal::Forbidden(format!(
            "`{}` has the right `namespaces`, and what stands there is not valid, so it is not known what it selects",
            rights.user.as_str()
        ))),
        None => Ok(()),
    }
}

/// Checks that a document may replace one that is not valid, so that it is not known what that selects.
pub(super) fn may_replace_invalid(document: &Document, file: &str, rights: &Rights) -> Result<(), Refusal> {
    may_remove(None, rights)?;
    if document.has_selector() {
        return Ok(());
    }
    let name = document.name().map(|name| name.as_str()).unwrap_or_default();
    Err(Refusal::Conflict(format!(
        "the policy `{name}` of {file} is not valid, so it is not known what it selects; send `spec.selector` too"
    )))
}

fn selector(document: &Document) -> Option<&Selector> {
    document.policy().map(|policy| &policy.selector)
}

/// Checks that a selector is within the namespaces of a user.
pub(super) fn covered(selector: &Selector, rights: &Rights) -> Result<(), Refusal> {
    if rights.cover(&selector.namespace) {
        return Ok(());
    }
    let (user, namespace) = (rights.user.as_str(), selector.namespace.as_str());
    Err(Refusal::Forbidden(format!(
        "`{user}` has no right to the namespace `{namespace}` (`namespaces` in the token file)"
    )))
}

/// The document; one without a selector gets the namespace that is the user's default.
fn with_selector(
    document: &Document,
    existing: Option<&Document>,
    rights: &Rights,
) -> Result<Selected, Refusal> {
    let as_it_is = Selected { document: document.clone(), warning: None };
    if document.has_selector() {
        return Ok(as_it_is);
    }
    let replaced = existing.filter(|existing| existing.has_selector()).and_then(selector);
    let is_default = |selector: &Selector, namespace: &str| {
        let is_any = matches!(&selector.target, Target::Service(service) if service.is_any());
        is_any && selector.namespace.as_str() == namespace
    };
    match (&rights.default_namespace, replaced) {
        // What was added when it was created.
        (Some(namespace), Some(replaced)) if is_default(replaced, namespace) => {
            with_namespace(document, namespace)
        }
        (_, Some(_)) => {
            let name = document.name().map(|name| name.as_str()).unwrap_or_default();
            Err(Refusal::Conflict(format!(
                "the policy `{name}` has a selector and what was sent has none, so it would select everything; \
                 send `spec.selector` too"
            )))
        }
        (Some(namespace), None) if existing.is_none() => with_namespace(document, namespace),
        _ => Ok(as_it_is),
    }
}

fn with_namespace(document: &Document, namespace: &str) -> Result<Selected, Refusal> {
    let document = document.with_selector_namespace(namespace).map_err(Refusal::Mistakes)?;
    let warning =
        format!("has no selector: it selects all of the namespace `{namespace}` (`default-namespace`)");
    Ok(Selected { document, warning: Some(warning) })
}

fn may_select_all(document: &Document, rights: &Rights, allow_wildcard: bool) -> Result<(), Refusal> {
    let lack = match (rights.wildcard, allow_wildcard) {
        (true, true) => return Ok(()),
        (true, false) => "or, if that is meant, add `allowWildcard=true` to the query".to_owned(),
        (false, _) => {
            format!("only who has the right `wildcard` may do so, and `{}` has not", rights.user.as_str())
        }
    };
    let message = format!("selects every workload of the mesh; name a `namespace` or a `service`, {lack}");
    Err(Refusal::mistake(document.mistake("spec.selector", message)))
}
