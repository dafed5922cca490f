//! `GET /v1/policies/{name}/history`: the commits that changed a policy.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use policies::language::PolicyName;

use crate::{
    api,
    http::{
        headers::REVISION,
        operation::{Operation, Parameter, REVISION as REVISION_HEADER, json, policy_schema},
        peer::Peer,
        problem::Problem,
        state::Served,
    },
    serving::published::Publication,
    source::ancestry::CommitId,
    writes::history,
};

pub(crate) async fn get(
    State(served): State<Served>,
    Peer(client): Peer,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let not_found = |detail: String| Problem::new(StatusCode::NOT_FOUND, detail);
    let name = PolicyName::try_from(name).map_err(|error| not_found(error.to_string()))?;
    let Some(documents) = served.services.history.clone() else {
        return Err(not_found("a directory has no history; only a repository has".to_owned()));
    };
    let published = match served.publisher.publication() {
        Publication::Serving(published) => published,
        Publication::Starting { reason } => return Err(Problem::not_ready(reason)),
    };
    let revision = published.whole.revision.clone();
    let Some(tip) = CommitId::of_revision(revision.as_str()) else {
        return Err(not_found(format!("{revision} is no commit")));
    };
    // To walk through a long history takes long.
    let of = name.clone();
    let history = served.services.making.make(client, move || history::of(&documents, tip, &of)).await?;
    let history = history.map_err(|error| Problem::not_ready(error.to_string()))?;
    if history.commits.is_empty() && !history.partial {
        return Err(not_found(format!("no commit of the branch has changed a policy `{name}`")));
    }
    Ok(([(REVISION, revision.to_string())], Json(history)).into_response())
}

pub(crate) fn described() -> Operation {
    Operation::new("The commits of the branch that changed a policy, the newest first")
        .parameter(Parameter::path("name", "`metadata.name`", policy_schema::name()))
        .answers(
            200,
            "Those among the last 1,000 first-parent commits",
            Some(json::<api::writes::History>()),
            &[REVISION_HEADER],
        )
        .problems(&[400, 404, 503])
}
