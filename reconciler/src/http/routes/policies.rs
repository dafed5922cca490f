//! `GET /v1/policies`: policies as JSON, for people and for the first generation's clients.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use long_poll::Shared;
use policies::{
    Digest,
    rendering::{first_generation, json as document},
    repository::LocatedPolicy,
};
use serde_json::Value;

use crate::api::{
    policies::{Policies, Policy},
    policy_status::PolicyState,
};
use crate::http::{
    conditional::{condition, is_current},
    headers::REVISION,
    listing::{self, Listing},
    operation::{ETAG, Operation, Parameter, REVISION as REVISION_HEADER, json},
    peer::Peer,
    problem::Problem,
    state::Served,
};
use crate::serving::{
    published::{Publication, Published},
    status,
};
use crate::{clients::Client, clock, source::ancestry::CommitId};

/// The policies in force that the first generation cannot misread; with `all=true` all policies.
pub(crate) async fn list(
    State(served): State<Served>,
    Peer(client): Peer,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (all, condition) = (wants_all(query)?, condition(headers));
    if all {
        let published = published(&served)?;
        let made = served.services.making.make(client, move || {
            let catalog = published.reported();
            let documents = catalog.policies().iter().map(|located| document::in_full(&located.parsed));
            answer(&published, listing::body(documents), &condition)
        });
        return made.await;
    }
    let (published, listing) = listed(&served, client).await?;
    let answer = respond(&published, &listing.etag, listing.body.clone(), &condition);
    Ok((Extension(Shared), answer).into_response())
}

/// The policy with that name.
pub(crate) async fn one(
    State(served): State<Served>,
    Peer(client): Peer,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let all = wants_all(query)?;
    let published = published(&served)?;
    let catalog = published.reported();
    let located = catalog.policies().iter().find(|located| located.entry.policy.name.as_str() == name);
    let located = located.ok_or_else(|| nothing(&name, &published))?;
    if all {
        let document = as_written(located, &published, &served, client).await?;
        return Ok(answer(&published, document.into(), &headers));
    }
    let document = in_force(located, &published, &served).map_err(|reason| {
        let detail = format!("the policy `{name}` {reason}; /v1/policies/{name}?all=true shows it");
        Problem::new(StatusCode::NOT_FOUND, detail)
    })?;
    Ok(answer(&published, document.to_string().into(), &headers))
}

/// The policy as it stands in its file; in full where there is no repository.
async fn as_written(
    located: &LocatedPolicy,
    published: &Published,
    served: &Served,
    client: Client,
) -> Result<String, Problem> {
    let commit = CommitId::of_revision(published.whole.revision.as_str());
    let (Some(documents), Some(commit)) = (served.services.history.clone(), commit) else {
        return Ok(document::in_full(&located.parsed).to_string());
    };
    let (file, name) = (Arc::clone(&located.file), located.entry.policy.name.clone());
    let written = served.services.making.make(client, move || documents.written(commit, &file, &name));
    let written = written.await?.map_err(|error| Problem::not_ready(error.to_string()))?;
    Ok(written.map_or_else(|| document::in_full(&located.parsed).to_string(), |written| written.to_json()))
}

fn nothing(name: &str, published: &Published) -> Problem {
    let detail = match &published.holds.withdrawn {
        Some(reason) => format!("there is no policy: all are withdrawn, because {reason}"),
        None => format!(
            "there is no valid policy `{name}`; /v1/policies?all=true lists all, and /v1/policies/status the \
             files with errors"
        ),
    };
    Problem::new(StatusCode::NOT_FOUND, detail)
}

fn published(served: &Served) -> Result<Arc<Published>, Problem> {
    match served.publisher.publication() {
        Publication::Serving(published) => Ok(published),
        Publication::Starting { reason } => Err(Problem::not_ready(reason)),
    }
}

/// The listing for clients of the first generation that holds now.
pub(super) async fn listed(
    served: &Served,
    client: Client,
) -> Result<(Arc<Published>, Arc<Listing>), Problem> {
    let (published, namespaces) = (published(served)?, served.services.namespaces());
    if let Some(listing) = served.services.listings.known(&published, namespaces.as_ref()) {
        return Ok((published, listing));
    }
    let (services, of) = (Arc::clone(&served.services), Arc::clone(&published));
    let made = served.services.making.make(client, move || services.listings.make(&of, namespaces));
    Ok((published, made.await?))
}

/// Reads the query: `all=true` or nothing.
fn wants_all(query: Option<String>) -> Result<bool, Problem> {
    let mut all = None;
    for pair in query.as_deref().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let error = match (key, value, all) {
            ("all", "true" | "false", None) => {
                all = Some(value == "true");
                continue;
            }
            ("all", "true" | "false", Some(_)) => "`all` is there twice; keep one".to_owned(),
            ("all", ..) => "`all` must be `true` or `false`".to_owned(),
            _ => format!("`{key}` is not a parameter; known here: all"),
        };
        return Err(Problem::new(StatusCode::BAD_REQUEST, error));
    }
    Ok(all.unwrap_or_default())
}

/// The policy as clients of the first generation read it, or the reason why they get none.
fn in_force(located: &LocatedPolicy, published: &Published, served: &Served) -> Result<Value, String> {
    if published.holds.halted {
        return Err("is not in force while everything is halted".to_owned());
    }
    let (namespaces, now) = (served.services.namespaces(), clock::now());
    match status::state(located, published, namespaces.as_deref()) {
        PolicyState::Active => first_generation::policy(&located.entry_at(now), now).map_err(|field| {
            format!("is in force and uses {field}, which clients of the first generation do not know")
        }),
        state => Err(format!("is not in force: it is {}", state.as_str())),
    }
}

fn answer(published: &Published, body: Bytes, headers: &HeaderMap) -> Response {
    let etag = Digest::of(&body).etag();
    respond(published, &etag, body, headers)
}

fn respond(published: &Published, etag: &str, body: Bytes, headers: &HeaderMap) -> Response {
    let validators = [(header::ETAG, etag.to_owned()), (REVISION, published.whole.revision.to_string())];
    if is_current(headers, etag) {
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
        .problems(&[400, 503])
}

pub(crate) fn one_described() -> Operation {
    Operation::new("One policy as JSON")
        .parameter(Parameter::path("name", "`metadata.name`", serde_json::json!({"type": "string"})))
        .parameter(all())
        .parameter(Parameter::if_none_match())
        .answers(200, "The policy", Some(json::<Policy>()), &[ETAG, REVISION_HEADER])
        .answers(304, "The client has it already", None, &[ETAG, REVISION_HEADER])
        .problems(&[400, 404, 503])
}

fn all() -> Parameter {
    Parameter::query(
        "all",
        "`true`: also policies that are not in force. A list has them in full, with all defaults; one policy is as it was written.",
    )
}

#[cfg(test)]
mod tests {
    use super::wants_all;

    #[test]
    fn the_query_is_all_or_nothing() {
        for (query, all) in
            [(None, false), (Some(""), false), (Some("all=true"), true), (Some("all=false&"), false)]
        {
            assert_eq!(wants_all(query.map(str::to_owned)).unwrap(), all, "{query:?}");
        }
        for query in ["all", "all=1", "al=true", "all=true&all=true", "all=true&x=", "=", "%61ll=true"] {
            assert!(wants_all(Some(query.to_owned())).is_err(), "{query}");
        }
    }
}
