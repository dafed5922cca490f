//! `GET /v1/filters`: the filters that poll, and the snapshot that each runs.

use axum::{Json, extract::State, http::HeaderMap};
use policies::{Digest, Scope, wire::poll};

use crate::api;
use crate::fleet::filters::{Filter, Filters, counts};
use crate::http::{
    conditional,
    operation::{Operation, json},
    prefer::Wait,
    problem::Problem,
    state::Served,
};
use crate::serving::published::Variant;

pub(crate) async fn get(State(served): State<Served>) -> Result<Json<api::filters::Filters>, Problem> {
    let listed = tokio::task::spawn_blocking(move || served.services.filters.list(&served.publisher)).await;
    let filters = listed.map_err(|_| Problem::not_ready("the list could not be made".to_owned()))?;
    let summary = counts(&filters);
    Ok(Json(api::filters::Filters { filters: filters.iter().map(show).collect(), summary }))
}

fn show(filter: &Filter) -> api::filters::Filter {
    let Filter { node, scope, digest, is_newest, contact, state } = filter;
    api::filters::Filter {
        digest: digest.map(|digest| digest.to_string()),
        last_contact: (*contact).into(),
        namespace: names(scope, "namespace"),
        newest: *is_newest,
        node: node.as_str().to_owned(),
        service: names(scope, "service"),
        state: *state,
    }
}

/// The names joined by commas: a workload can have several, and a proxy can stand for several namespaces.
fn names(scope: &Scope, key: &str) -> String {
    let names: Vec<_> = scope.names().filter(|(known, _)| *known == key).map(|(_, name)| name).collect();
    names.join(",")
}

/// Remembers a poll that has the id of its node.
pub(crate) fn note(filters: &Filters, headers: &HeaderMap, variant: &Variant, wait: Option<Wait>) {
    let node = headers.get(poll::NODE).and_then(|node| poll::NodeId::parse(node.to_str().ok()?));
    if let Some(node) = node {
        let digest = conditional::first(headers).and_then(Digest::from_etag);
        filters.polled(node, variant, digest, wait.map(Wait::duration).unwrap_or_default());
    }
}

pub(crate) fn described() -> Operation {
    let content = json::<api::filters::Filters>();
    Operation::new("The filters that polled this replica")
        .answers(200, "The filters of the last ten minutes", Some(content), &[])
        .problems(&[503])
}
