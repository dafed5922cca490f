//! `GET /v1/filters`: who polls, and what each runs.

use axum::{Json, extract::State, http::HeaderMap};
use policies::{Digest, Scope};
use serde_json::{Map, Value, json};

use crate::fleet::filters::{Filter, Filters, Node, counts};
use crate::http::{conditional, prefer::Wait, problem::Problem, state::Served};

/// The header by which a filter says whose it is.
pub(crate) const NODE: &str = "x-hfi-node";

pub(crate) async fn get(State(served): State<Served>) -> Result<Json<Value>, Problem> {
    let listed = tokio::task::spawn_blocking(move || served.services.filters.list(&served.publisher)).await;
    let filters = listed.map_err(|_| Problem::not_ready("the list could not be made".to_owned()))?;
    let summary: Map<_, _> =
        counts(&filters).into_iter().map(|(state, count)| (state.to_owned(), count.into())).collect();
    Ok(Json(json!({"summary": summary, "filters": filters.iter().map(show).collect::<Vec<_>>()})))
}

fn show(filter: &Filter) -> Value {
    let Filter { node, scope, digest, is_newest, contact, state } = filter;
    json!({
        "node": node.as_str(),
        "namespace": names(scope, "namespace"),
        "service": names(scope, "service"),
        "digest": digest.map(|digest| digest.to_string()),
        "newest": is_newest,
        "state": state.as_str(),
        "lastContact": contact.to_rfc3339(),
    })
}

/// A workload can have several names, and a proxy stand for several namespaces.
fn names(scope: &Scope, key: &str) -> String {
    let names: Vec<_> = scope.names().filter(|(known, _)| *known == key).map(|(_, name)| name).collect();
    names.join(",")
}

/// Remembers a poll, if it says whose it is.
pub(crate) fn note(filters: &Filters, headers: &HeaderMap, scope: &Scope, wait: Option<Wait>) {
    let node = headers.get(NODE).and_then(|node| Node::parse(node.to_str().ok()?));
    if let Some(node) = node {
        let digest = conditional::first(headers).and_then(Digest::from_etag);
        filters.polled(node, scope, digest, wait.map(Wait::duration).unwrap_or_default());
    }
}
