//! `GET /v1/policies`: policies as JSON, for people and for the first generation's clients.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use long_poll::Shared;
use policies::{
    Digest,
    language::PolicyName,
    rendering::{first_generation, json as document},
    repository::LocatedPolicy,
};
use serde_json::Value;

use crate::api::{
    policies::{Policies, Policy},
    policy_status::PolicyState,
    writes::BodyError,
};
use crate::http::{
    browsers::is_reader,
    conditional::{condition, is_current},
    headers::{FOLDER, REVISION},
    listing::{self, Listing},
    operation::{
        ETAG, FOLDER as FOLDER_HEADER, Link, Operation, Parameter, REVISION as REVISION_HEADER, json,
        policy_schema,
    },
    peer::Peer,
    policy_query::{Wanted, wants_all},
    problem::Problem,
    state::Served,
};
use crate::serving::{
    published::{Publication, Published},
    status,
};
use crate::{
    clients::Client,
    clock,
    source::{ancestry::CommitId, git::Stood},
};

/// The policies in force that the first generation cannot misread; with `all=true` all policies.
pub(crate) async fn list(
    State(served): State<Served>,
    Peer(client): Peer,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (all, is_reader) = (wants_all(query.as_deref())?, is_reader(&headers));
    let condition = condition(headers);
    if all {
        let published = published(&served)?;
        let made = served.services.making.make(client, move || {
            let catalog = published.reported();
            let documents = catalog.policies().iter().map(|located| document::in_full(&located.parsed));
            answer(&published, listing::body(documents), &condition)
        });
        return made.await;
    }
    if !is_reader {
        // As far as can be told, a client of the first generation.
        served.services.unreported.polled();
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
    let Wanted { all, commit } = Wanted::read(query.as_deref())?;
    let published = published(&served)?;
    if let Some(commit) = commit {
        let (document, folder) = at(commit, name, &published, &served, client).await?;
        let folder = HeaderValue::from_bytes(folder.as_bytes()).ok().map(|folder| [(FOLDER, folder)]);
        return Ok((folder, answer(&published, document.into(), &headers)).into_response());
    }
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

/// The policy as it was written at a commit of the branch, and the directory of its file.
async fn at(
    commit: CommitId,
    name: String,
    published: &Published,
    served: &Served,
    client: Client,
) -> Result<(String, String), Problem> {
    let not_found = |detail: String| Problem::new(StatusCode::NOT_FOUND, detail);
    let of = PolicyName::try_from(name.clone()).map_err(|error| not_found(error.to_string()))?;
    let tip = CommitId::of_revision(published.whole.revision.as_str());
    let (Some(documents), Some(tip)) = (served.services.history.clone(), tip) else {
        return Err(not_found("a directory has no history; only a repository has".to_owned()));
    };
    let found = served.services.making.make(client, move || documents.at(tip, commit, &of)).await?;
    let found = found.map_err(|error| Problem::not_ready(error.to_string()))?;
    let found = found.ok_or_else(|| {
        not_found(format!("{commit} is none of the last 1,000 first-parent commits of what is served"))
    })?;
    match found.as_slice() {
        [Stood { document: Some(document), directory }] => Ok((document.to_json(), directory.clone())),
        // Clients tell it from one that is not there by the mistake.
        [Stood { document: None, .. }] => {
            let error = BodyError { message: "is not valid".to_owned(), ..BodyError::default() };
            let detail = format!("the policy `{name}` was not valid at commit {commit}");
            Err(not_found(detail).errors(vec![error]))
        }
        [] => Err(not_found(format!("there was no valid policy `{name}` at commit {commit}"))),
        _ => Err(not_found(format!("the policy `{name}` stood in several places at commit {commit}"))),
    }
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

/// The policy as clients of the first generation read it, or the reason why they get none.
fn in_force(located: &LocatedPolicy, published: &Published, served: &Served) -> Result<Value, String> {
    if published.is_halted() {
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

/// What a client may do with the first policy of a list.
const LISTED: [Link; 3] = Link::of("/policies/0/metadata/name");

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
        .leads_to(&LISTED)
        .answers(304, "The client has them already", None, &[ETAG, REVISION_HEADER])
        .problems(&[400, 503])
}

pub(crate) fn one_described() -> Operation {
    Operation::new("One policy as JSON")
        .parameter(Parameter::path("name", "`metadata.name`", policy_schema::name()))
        .parameter(all())
        .parameter(Parameter::query(
            "commit",
            "With `all=true`: the policy as it was written at this commit, one of the last 1,000 first-parent \
             commits of what is served.",
        ))
        .parameter(Parameter::if_none_match())
        .answers(200, "The policy", Some(json::<Policy>()), &[ETAG, REVISION_HEADER, FOLDER_HEADER])
        .answers(304, "The client has it already", None, &[ETAG, REVISION_HEADER])
        .problems(&[400, 404, 503])
}

fn all() -> Parameter {
    Parameter::switch(
        "all",
        "`true`: also policies that are not in force. A list has them in full, with all defaults; one policy is as it was written.",
    )
}
