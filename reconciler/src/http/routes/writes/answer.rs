//! The answer to a request that changes policies.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use policies::{editing::Mistake, reading::Finding};

use crate::{
    api::{
        self,
        writes::{BodyError, WriteResult},
    },
    http::{limits::RETRY_AFTER, problem::Problem, refusals, state::Served},
    serving::status::Version,
    writes::{
        outcome::{Done, Refusal},
        queue::Writes,
    },
};

/// What was done.
#[derive(Debug)]
pub(super) struct Written(api::writes::Written);

/// What was not done, and the label of its metric.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) problem: Problem,
    pub(super) label: &'static str,
}

impl Written {
    pub(super) fn new(
        served: &Served,
        writes: &Writes,
        request: String,
        done: Done,
        is_served: bool,
    ) -> Self {
        let version = Version::of(&served.publisher).ok().filter(|_| is_served);
        let (branch, link) = done.branch.unzip();
        Self(api::writes::Written {
            branch,
            commit: done.commit.map(|commit| commit.to_string()),
            digest: version.map(|version| version.digest.to_string()),
            link: link.flatten(),
            policies: done.policies,
            request,
            revision: done.at.map(|commit| writes.revision(commit)),
            served: is_served,
            warnings: done.warnings.iter().map(Into::into).collect(),
        })
    }

    pub(super) fn is_served(&self) -> bool {
        self.0.served
    }

    pub(super) fn commit(&self) -> &str {
        self.0.commit.as_deref().unwrap_or_default()
    }

    /// Each policy and what became of it.
    pub(super) fn what(&self) -> String {
        let policies = self.0.policies.iter();
        let told = policies.map(|policy| format!("{} {}", policy.name, policy.result.as_str()));
        told.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn label(&self) -> &'static str {
        match (&self.0.commit, &self.0.revision) {
            (Some(_), _) => "committed",
            (None, Some(_)) => "unchanged",
            (None, None) => "dry_run",
        }
    }
}

impl IntoResponse for Written {
    fn into_response(self) -> Response {
        let Self(written) = self;
        let is_created = written.policies.iter().any(|policy| policy.result == WriteResult::Created);
        let status = match &written {
            api::writes::Written { branch: Some(_), .. } => StatusCode::ACCEPTED,
            api::writes::Written { commit: Some(_), .. } if is_created => StatusCode::CREATED,
            _ => StatusCode::OK,
        };
        (status, Json(written)).into_response()
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self { label: refusals::result(problem.status()), problem }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let (label, reason) = (refusal.label(), refusal.reason());
        let problem = |status| Problem::new(status, reason);
        let problem = match refusal {
            Refusal::Mistakes(mistakes) => {
                problem(StatusCode::UNPROCESSABLE_ENTITY).errors(mistakes.into_iter().map(error).collect())
            }
            Refusal::Unprocessable(_) => problem(StatusCode::UNPROCESSABLE_ENTITY),
            Refusal::Forbidden(_) => problem(StatusCode::FORBIDDEN),
            Refusal::NotFound(_) => problem(StatusCode::NOT_FOUND),
            Refusal::Conflict(_) => problem(StatusCode::CONFLICT),
            Refusal::Precondition { etag, .. } => match etag {
                Some(etag) => problem(StatusCode::PRECONDITION_FAILED).header(header::ETAG, &etag),
                None => problem(StatusCode::PRECONDITION_FAILED),
            },
            Refusal::Unavailable(_) | Refusal::Left => {
                problem(StatusCode::SERVICE_UNAVAILABLE).header(header::RETRY_AFTER, RETRY_AFTER)
            }
            Refusal::Unknown { commit } => {
                problem(StatusCode::GATEWAY_TIMEOUT).unknown(Some(commit.to_string()))
            }
        };
        Self { problem, label }
    }
}

fn error(Mistake { document, finding: Finding { place, field, message } }: Mistake) -> BodyError {
    BodyError { column: place.column, document, field, line: place.line, message }
}
