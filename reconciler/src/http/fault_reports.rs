//! What polls report of faults, and what is shown of it.

use std::collections::HashMap;

use axum::http::HeaderMap;
use policies::{
    Timestamp,
    language::PolicyName,
    wire::{
        CountedName, FaultReport,
        poll::{self, NodeId},
    },
};

use super::state::Served;
use crate::{
    api::measured::Measured,
    clients::Client,
    clock::now,
    fleet::{
        faults::{LeftOut, sum::PolicySum},
        shared::Others,
    },
};

/// What proxies reported, as this replica and the others know it.
#[derive(Debug)]
pub(crate) struct Reports {
    policies: HashMap<CountedName, PolicySum>,
    since: Timestamp,
    is_complete: bool,
}

/// The report of a poll. One that cannot be read is counted.
pub(crate) fn read(served: &Served, headers: &HeaderMap) -> Option<FaultReport> {
    let value = headers.get(poll::FAULTS)?;
    let report = value.to_str().ok().and_then(FaultReport::parse);
    if report.is_none() {
        served.counters.reports.left_out("unreadable", 1);
    }
    report
}

/// Takes over the report of a proxy. What is left out of it is counted.
pub(crate) fn take(served: &Served, client: Client, node: &NodeId, report: &FaultReport) {
    let LeftOut { implausible, unknown, full } =
        served.services.faults.reported(client, node, report, served.publisher.reported_names());
    for (reason, rows) in [("implausible", implausible), ("unknown", unknown), ("full", full)] {
        served.counters.reports.left_out(reason, rows);
    }
}

impl Reports {
    pub(crate) fn of(served: &Served, others: Option<&Others>) -> Self {
        let policies = served.services.faults.policies(served.publisher.reported_names());
        Self { policies, since: since(served, others), is_complete: is_complete(others) }
    }

    /// What was reported of a policy; `None` if nothing was.
    pub(crate) fn policy(&self, name: &str) -> Option<Measured> {
        let sum = self.policies.get(&CountedName::parse(name)?)?;
        Some(sum.measured(self.since, self.is_complete))
    }

    /// The faults of a policy in each of the last 60 s, the oldest first; none if nothing was reported.
    pub(crate) fn last_minute(&self, name: &PolicyName) -> Vec<f64> {
        let sum = CountedName::parse(name.as_str()).and_then(|name| self.policies.get(&name));
        let tenths = |faults: f32| (f64::from(faults) * 10.0).round() / 10.0;
        sum.map(|sum| sum.last_minute.into_iter().map(tenths).collect()).unwrap_or_default()
    }

    /// Each name under which something was reported, in order.
    pub(crate) fn all(&self) -> Vec<(&str, Measured)> {
        let all = self.policies.iter();
        let all = all.map(|(name, sum)| (name.as_str(), sum.measured(self.since, self.is_complete)));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(name, _)| *name);
        all
    }
}

/// What each proxy reported.
pub(crate) fn of_filters(served: &Served, others: Option<&Others>) -> impl Fn(&NodeId) -> Option<Measured> {
    let (sums, since, is_complete) =
        (served.services.faults.filters(), since(served, others), is_complete(others));
    move |node| Some(sums.of(node)?.measured(since, is_complete))
}

/// The time since which no report is missing.
fn since(served: &Served, others: Option<&Others>) -> Timestamp {
    let own = served.services.filters.since();
    others.map_or(own, |others| others.since(now()).max(own))
}

fn is_complete(others: Option<&Others>) -> bool {
    others.is_none_or(|others| others.has_all_reports)
}
