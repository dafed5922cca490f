//! `GET /v1/policies`: policies as JSON, for people and for the first generation's clients.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use policies::{Catalog, Digest, Timestamp, rendering::json as document, repository::LocatedPolicy};
use serde::Serialize;
use serde_json::Value;

use crate::api::policies::{Metadata, Policies, Policy};
use crate::http::{
    conditional::is_current,
    headers::REVISION,
    operation::{ETAG, Operation, Parameter, REVISION as REVISION_HEADER, json},
    problem::Problem,
    state::Served,
};
use crate::serving::published::{Publication, Published};

/// The policies in force that the first generation cannot misread; with `all=true` all policies.
pub(crate) async fn list(
    State(served): State<Served>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let published = published(&served)?;
    let catalog = published.served();
    let policies = selected(&catalog, published.whole.at, query.as_deref()).map(view).collect();
    Ok(answer(&published, &Policies { policies }, &headers))
}

/// The policy with that name.
pub(crate) async fn one(
    State(served): State<Served>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let published = published(&served)?;
    let catalog = published.served();
    let mut policies = selected(&catalog, published.whole.at, query.as_deref());
    let policy = policies.find(|placed| placed.entry.policy.name.as_str() == name);
    let missing = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            format!(
                "no policy `{name}` is in force that the first generation knows; ask with ?all=true for the others"
            ),
        )
    };
    Ok(answer(&published, &view(policy.ok_or_else(missing)?), &headers))
}

fn published(served: &Served) -> Result<Arc<Published>, Problem> {
    match served.publisher.publication() {
        Publication::Serving(published) => Ok(published),
        Publication::Starting { reason } => Err(Problem::not_ready(reason)),
    }
}

fn selected<'p>(
    catalog: &'p Catalog,
    at: Timestamp,
    query: Option<&str>,
) -> Box<dyn Iterator<Item = &'p LocatedPolicy> + 'p> {
    if query.is_some_and(|query| query.split('&').any(|pair| pair == "all=true")) {
        Box::new(catalog.policies().iter())
    } else {
        let in_force = catalog.in_force(at);
        Box::new(in_force.filter(|placed| document::is_first_generation(&placed.entry.policy)))
    }
}

fn view(placed: &LocatedPolicy) -> Policy {
    let policy = &placed.entry.policy;
    let mut document = document::policy(policy);
    let spec = document.get_mut("spec").and_then(Value::as_object_mut).map(std::mem::take);
    Policy { metadata: Metadata { name: policy.name.to_string() }, spec: spec.unwrap_or_default() }
}

fn answer(published: &Published, json: &impl Serialize, headers: &HeaderMap) -> Response {
    // Texts and numbers can always be written.
    let body = serde_json::to_string(json).unwrap_or_default();
    let etag = Digest::of(body.as_bytes()).etag();
    let current = is_current(headers, &etag);
    let validators = [(header::ETAG, etag), (REVISION, published.whole.revision.to_string())];
    if current {
        (StatusCode::NOT_MODIFIED, validators).into_response()
    } else {
        (validators, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}

pub(crate) fn list_described() -> Operation {
    Operation::new("Policies as JSON")
        .parameter(all())
        .parameter(Parameter::if_none_match())
        .answers(
            200,
            "The policies in force that the first generation knows, or all",
            Some(json::<Policies>()),
            &[ETAG, REVISION_HEADER],
        )
        .answers(304, "The client has them already", None, &[ETAG, REVISION_HEADER])
        .problems(&[503])
}

pub(crate) fn one_described() -> Operation {
    Operation::new("One policy as JSON")
        .parameter(Parameter::path("name", "`metadata.name`", serde_json::json!({"type": "string"})))
        .parameter(all())
        .parameter(Parameter::if_none_match())
        .answers(200, "The policy", Some(json::<Policy>()), &[ETAG, REVISION_HEADER])
        .answers(304, "The client has it already", None, &[ETAG, REVISION_HEADER])
        .problems(&[404, 503])
}

fn all() -> Parameter {
    Parameter::query("all", "`true`: all valid policies, in full")
}
