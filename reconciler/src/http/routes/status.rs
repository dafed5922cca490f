//! `GET /v1/policies/status`: everything that is served, everything that is not, and why.

mod measured;
mod no_proxy;

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State},
    response::{IntoResponse as _, Response},
};

use crate::http::{
    fault_reports::Reports,
    headers::REVISION,
    operation::{Operation, Parameter, REVISION as REVISION_HEADER, json},
    peer::Peer,
    policy_query::wants_own,
    problem::Problem,
    state::Served,
};
use crate::{
    api::{
        counts::{Counts, Summary},
        first_generation::{FaultType, SummaryFields},
        kubernetes::{FailingDuty, Kubernetes},
        policy_status::PolicyStatus,
        status::{Source, SourceFailing, Status},
    },
    clock::seconds_since,
    fleet::shared::Others,
    kubernetes::ClusterHealth,
    serving::{
        published::Publication,
        status::{Version, counts, everything},
    },
    sync::history::Attempts,
};

pub(crate) async fn get(
    State(served): State<Served>,
    Peer(client): Peer,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let services = Arc::clone(&served.services);
    // Before a turn is taken: a replica that is silent must not keep others waiting.
    let others = if wants_own(query.as_deref())? { None } else { services.others(&served.publisher).await };
    // To compare all rules with each other takes long.
    services
        .making
        .make(client, move || {
            let others = others.as_deref();
            read(&served, others, &Reports::of(&served, others)).map(answer)
        })
        .await?
}

fn answer(status: Status) -> Response {
    ([(REVISION, status.revision.clone())], Json(status)).into_response()
}

/// What is served, with what was reported of it.
pub(super) fn read(served: &Served, others: Option<&Others>, reports: &Reports) -> Result<Status, Problem> {
    // Read first, so that everything read after it is no older.
    let version = Version::of(&served.publisher).map_err(Problem::not_ready)?;
    let published = match served.publisher.publication() {
        Publication::Serving(published) => published,
        Publication::Starting { reason } => return Err(Problem::not_ready(reason)),
    };
    let halted = published.is_halted();
    let cluster = served.services.cluster.as_ref().map(|cluster| cluster.current());
    let namespaces = cluster.as_ref().and_then(|view| view.namespaces.clone());
    let counts = counts(&published, namespaces.as_deref());
    let reported = if halted { Version::reported(&published) } else { version.clone() };
    let report = served.services.report.of((reported, counts, namespaces), &published);
    let mut policies = report.policies.clone();
    measured::tell(&mut policies, reports);
    no_proxy::tell(&mut policies, &published, served, cluster.as_ref(), others);
    Ok(Status {
        digest: version.digest.to_string(),
        halted,
        kubernetes: cluster.as_ref().map(kubernetes),
        missing: others.map(|others| others.missing.clone()).unwrap_or_default(),
        summary: summary(counts, &policies),
        policies,
        rejected: report.rejected.clone(),
        replicas: others.map(|others| others.count.clone()),
        revision: version.revision.to_string(),
        scope: everything().to_string(),
        source: source(&served.syncs.attempts()),
        withdrawn: published.holds.withdrawn.clone(),
    })
}

fn summary(counts: Counts, policies: &[PolicyStatus]) -> Summary {
    let with =
        |fault| policies.iter().filter(|policy| policy.first_generation.fault_types.contains(&fault)).count();
    let first_generation = SummaryFields {
        abort_policies: with(FaultType::Abort),
        active_policies: counts.active,
        delay_policies: with(FaultType::Delay),
        total_policies: counts.policies,
    };
    Summary { counts, first_generation }
}

fn kubernetes(view: &ClusterHealth) -> Kubernetes {
    let failing = view.failing.iter().map(|(duty, failing)| FailingDuty {
        duty: *duty,
        reason: failing.reason.clone(),
        since: failing.since.into(),
    });
    Kubernetes {
        connected: view.is_connected(),
        failing: failing.collect(),
        holder: view.holder.clone(),
        leader: view.leader,
        namespaces: view.namespaces.as_ref().map(|namespaces| namespaces.count()),
        proxies: view.proxies.as_deref().cloned(),
    }
}

fn source(Attempts { read_at, failure, .. }: &Attempts) -> Source {
    let failing = failure
        .as_ref()
        .map(|failure| SourceFailing { reason: failure.reason.clone(), since: failure.since.into() });
    Source { age_seconds: read_at.map(seconds_since), failing, last_success: read_at.map(Into::into) }
}

pub(crate) fn described() -> Operation {
    let own = "`true`: without asking the other replicas, also with `--peers`";
    Operation::new("Everything that is served, everything that is not, and why")
        .parameter(Parameter::switch("own", own))
        .answers(200, "The status", Some(json::<Status>()), &[REVISION_HEADER])
        .problems(&[400, 503])
}
