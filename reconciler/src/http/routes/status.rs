//! `GET /v1/policies/status`: everything that is served, everything that is not, and why.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{Json, extract::State};

use crate::http::{
    operation::{Operation, json},
    problem::Problem,
    state::Served,
};
use crate::{
    api::{
        counts::Counts,
        kubernetes::{FailingDuty, Kubernetes},
        status::{Source, SourceFailing, Status},
    },
    clock::seconds_since,
    kubernetes::ClusterHealth,
    serving::{
        namespaces::Namespaces,
        published::{Publication, Published},
        status::{self, Version, counts, everything},
    },
    sync::requests::Looks,
};

/// The newest report. It is made again when the policies, their states or the namespaces change.
#[derive(Debug, Default)]
pub(crate) struct Report(Mutex<Option<(Of, Arc<status::Report>)>>);

/// The values that a report depends on.
type Of = (Version, Counts, Option<Arc<Namespaces>>);

pub(crate) async fn get(State(served): State<Served>) -> Result<Json<Status>, Problem> {
    // To compare all rules with each other takes long.
    let made = tokio::task::spawn_blocking(move || read(&served)).await;
    made.unwrap_or_else(|_| Err(Problem::not_ready("the report could not be made".to_owned()))).map(Json)
}

fn read(served: &Served) -> Result<Status, Problem> {
    // Read first, so that everything read after it is no older.
    let version = Version::of(&served.publisher).map_err(Problem::not_ready)?;
    let published = match served.publisher.publication() {
        Publication::Serving(published) => published,
        Publication::Starting { reason } => return Err(Problem::not_ready(reason)),
    };
    let halted = published.holds.halted;
    let cluster = served.services.cluster.as_ref().map(|cluster| cluster.current());
    let namespaces = cluster.as_ref().and_then(|view| view.namespaces.clone());
    let counts = counts(&published, namespaces.as_deref());
    let reported = if halted { Version::reported(&published) } else { version.clone() };
    let report = served.services.report.of((reported, counts, namespaces), &published);
    Ok(Status {
        digest: version.digest.to_string(),
        halted,
        kubernetes: cluster.as_ref().map(kubernetes),
        policies: report.policies.clone(),
        rejected: report.rejected.clone(),
        revision: version.revision.to_string(),
        scope: everything().to_string(),
        source: source(&served.refresh.looks()),
        summary: counts,
        withdrawn: published.holds.withdrawn.clone(),
    })
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
    }
}

fn source(Looks { read_at, failure, .. }: &Looks) -> Source {
    let failing = failure
        .as_ref()
        .map(|failure| SourceFailing { reason: failure.reason.clone(), since: failure.since.into() });
    Source { age_seconds: read_at.map(seconds_since), failing, last_success: read_at.map(Into::into) }
}

impl Report {
    fn of(&self, of: Of, published: &Published) -> Arc<status::Report> {
        // Locked meanwhile: other requests wait for the same report.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((known, report)) if *known == of => Arc::clone(report),
            _ => {
                let report = Arc::new(status::report(published, of.2.as_deref()));
                *known = Some((of, Arc::clone(&report)));
                report
            }
        }
    }
}

pub(crate) fn described() -> Operation {
    Operation::new("Everything that is served, everything that is not, and why")
        .answers(200, "The status", Some(json::<Status>()), &[])
        .problems(&[503])
}
