//! What hfi refuses in ambient, as Istio would take it: as it is rendered for sidecars.

use anyhow::{Context, Result, bail};
use istio_config::{Application, Document, File, Kind, Level, Setting, render, written::Dataplane};
use serde_json::Value;

/// The documents with all mistakes that are only mistakes in ambient.
const DOCUMENTS: [&str; 2] = [
    include_str!(
        "../../../../../../policies/istio/tests/golden/authorization_policy/ambient_mistakes.in.yaml"
    ),
    include_str!("../../../../../../policies/istio/tests/golden/virtual_service/ambient.in.yaml"),
];

/// The rule of what has no effect in ambient, or another one.
const RULE: &str = "APP06";

/// A resource that hfi refuses in ambient.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) object: Value,
}

pub(super) fn refused() -> Result<Vec<Refused>> {
    let mut all = Vec::new();
    for text in DOCUMENTS {
        let application = application(text)?;
        let setting = |dataplane| Setting { dataplane, ..Setting::default() };
        let (_, findings) = render(&application, &setting(Dataplane::Ambient));
        let errors = findings.iter().filter(|found| found.level == Level::Error && found.rule == RULE);
        let fields: Vec<_> = errors.map(|found| found.field.as_str()).collect();
        let (rendered, _) = render(&application, &setting(Dataplane::Sidecar));
        let refused = rendered.into_iter().filter(|one| fields.iter().any(|field| is_in(field, &one.field)));
        let known = all.len();
        all.extend(refused.map(|one| Refused {
            kind: one.resource.kind,
            object: one.resource.object(),
            name: one.resource.name,
        }));
        // An error that no resource is for would be forgotten.
        if all.len() - known < fields.len() {
            bail!("{} resources for errors at {fields:?}", all.len() - known);
        }
    }
    Ok(all)
}

fn application(text: &str) -> Result<Application> {
    match File::read(text.as_bytes()).documents() {
        [Document::Application(application)] => Ok(application.as_ref().clone()),
        _ => bail!("not one application: {text}"),
    }
}

/// True if a field is an entry, or in it.
fn is_in(field: &str, entry: &str) -> bool {
    field.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ' ']))
}

/// The PeerAuthentication that disables mutual TLS, with the mode that hfi would have instead.
pub(super) fn permissive(refused: &[Refused]) -> Result<Value> {
    let mut object = with(refused, "/spec/mtls/mode")?.object.clone();
    *object.pointer_mut("/spec/mtls/mode").context("no mode")? = "PERMISSIVE".into();
    Ok(object)
}

/// The VirtualService with a route for some callers.
pub(super) fn with_callers(refused: &[Refused]) -> Result<&Refused> {
    with(refused, "/spec/http/0/match/0/sourceNamespace")
}

/// The first one with a field.
fn with<'r>(refused: &'r [Refused], field: &str) -> Result<&'r Refused> {
    let mut with = refused.iter().filter(|one| one.object.pointer(field).is_some());
    with.next().with_context(|| format!("none has {field}"))
}

/// The same without this route.
pub(super) fn without_callers(refused: &[Refused]) -> Result<Value> {
    let mut object = with_callers(refused)?.object.clone();
    let routes = object.pointer_mut("/spec/http").and_then(Value::as_array_mut).context("no routes")?;
    routes.remove(0);
    Ok(object)
}
