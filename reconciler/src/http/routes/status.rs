//! `GET /v1/policies/status`: what is served and what is not, and why.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::http::{problem::Problem, state::Served};
use crate::{
    clock::seconds_since,
    kubernetes::View,
    serving::{
        namespaces::Namespaces,
        published::{Publication, Published},
        status::{Counts, Version, everything, report},
    },
    sync::requests::Looks,
};

/// The report that was made last. As long as what is in force stays the same, so does the report.
#[derive(Debug, Default)]
pub(crate) struct Report(Mutex<Option<(Of, Arc<Value>)>>);

/// What a report depends on.
type Of = (Version, Counts, Option<Arc<Namespaces>>);

pub(crate) async fn get(State(served): State<Served>) -> Result<Json<Value>, Problem> {
    // To hold all rules against each other takes its time.
    let made = tokio::task::spawn_blocking(move || status(&served)).await;
    made.unwrap_or_else(|_| Err(Problem::not_ready("the report could not be made".to_owned()))).map(Json)
}

fn status(served: &Served) -> Result<Value, Problem> {
    // First, so that what is found out after it is no older: the next request finds out the rest.
    let version = Version::of(&served.publisher).map_err(Problem::not_ready)?;
    let served_now = match served.publisher.publication() {
        Publication::Serving(published) => published,
        Publication::Starting { reason } => return Err(Problem::not_ready(reason)),
    };
    let halted = served_now.halted;
    let published = served.switch.in_force().unwrap_or(served_now);
    let cluster = served.services.cluster.as_ref().map(|cluster| cluster.view());
    let namespaces = cluster.as_ref().and_then(|view| view.namespaces.clone());
    let counts = Counts::of(&published, namespaces.as_deref());
    let reported = if halted { Version::in_force(&published) } else { version.clone() };
    let report = served.services.report.of((reported, counts, namespaces), &published);
    Ok(json!({
        "revision": version.revision.as_str(),
        "digest": version.digest.to_string(),
        // While halted, the digest is of nothing, and all else is what is in force.
        "halted": halted,
        // Why nothing is in force, if who signed the revision may no longer.
        "withdrawn": published.withdrawn,
        // What the digest is of.
        "scope": everything().to_string(),
        "summary": counts.json(),
        "source": source(&served.refresh.looks()),
        "kubernetes": cluster.as_ref().map(kubernetes),
        "policies": report.get("policies"),
        "rejected": report.get("rejected"),
    }))
}

/// How it stands with the cluster.
fn kubernetes(view: &View) -> Value {
    let failing = view.failing.iter().map(|(duty, failing)| {
        json!({"duty": duty.as_str(), "since": failing.since.to_rfc3339(), "reason": failing.reason})
    });
    json!({
        "connected": view.is_connected(),
        "leader": view.leader,
        "holder": view.holder,
        "namespaces": view.namespaces.as_ref().map(|namespaces| namespaces.count()),
        "failing": failing.collect::<Vec<_>>(),
    })
}

/// How fresh it is, and why it is no fresher.
fn source(Looks { read_at, failure, .. }: &Looks) -> Value {
    json!({
        "lastSuccess": read_at.map(|read_at| read_at.to_rfc3339()),
        "ageSeconds": read_at.map(seconds_since),
        "failing": failure.as_ref().map(|failure| json!({
            "since": failure.since.to_rfc3339(),
            "reason": failure.reason,
        })),
    })
}

impl Report {
    fn of(&self, of: Of, published: &Published) -> Arc<Value> {
        // Held meanwhile: whoever else asks waits for the same report.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((known, report)) if *known == of => Arc::clone(report),
            _ => {
                let report = Arc::new(report(published, of.2.as_deref()));
                *known = Some((of, Arc::clone(&report)));
                report
            }
        }
    }
}
