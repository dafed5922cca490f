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

/// Takes over the report of a proxy, or of none if its poll is not believed. What is left out of it is counted.
pub(crate) fn take(served: &Served, client: Client, node: Option<&NodeId>, report: &FaultReport) {
    let Some(node) = node else {
        served.counters.reports.left_out("unbelieved", report.rows().len() as u64);
        return;
    };
    let LeftOut { implausible, unknown, full } =
        served.services.faults.reported(client, node, report, served.publisher.reported_names());
    for (reason, rows) in [("implausible", implausible), ("unknown", unknown), ("full", full)] {
        served.counters.reports.left_out(reason, rows);
    }
}

impl Reports {
    pub(crate) fn of(served: &Served, others: Option<&Others>) -> Self {
        let policies = served.services.faults.policies(served.publisher.reported_names());
        Self { policies, since: since(served, others), is_complete: is_complete(served, others) }
    }

    /// What was reported of a policy; `None` if nothing was.
    pub(crate) fn policy(&self, name: &str) -> Option<Measured> {
        let sum = self.policies.get(&CountedName::parse(name)?)?;
        Some(sum.measured(self.since, self.is_complete))
    }

    /// The faults of a policy in each of the last 60 s, the oldest first; none if nothing was reported.
    pub(crate) fn last_minute(&self, name: &PolicyName) -> Vec<f64> {
        let sum = CountedName::parse(name.as_str()).and_then(|name| self.policies.get(&name));
        let tenths = |faults: f64| (faults * 10.0).round() / 10.0;
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
        (served.services.faults.filters(), since(served, others), is_complete(served, others));
    move |node| Some(sums.of(node)?.measured(since, is_complete))
}

/// The time since which no report is missing.
fn since(served: &Served, others: Option<&Others>) -> Timestamp {
    let own = served.services.filters.since();
    others.map_or(own, |others| others.since(now()).max(own))
}

fn is_complete(served: &Served, others: Option<&Others>) -> bool {
    let services = &served.services;
    let has_all_of_others = match (others, &services.cluster) {
        (Some(others), _) => others.has_all_reports,
        // Proxies may report to replicas that are not asked.
        (None, Some(cluster)) => cluster.current().is_only_replica(services.filters.since()),
        (None, None) => true,
    };
    // A filter that has no room here reports in vain.
    has_all_of_others && services.filters.is_complete()
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use policies::{
        Scope,
        wire::{FaultReport, poll::NodeId},
    };
    use serde_json::json;

    use super::{Others, Reports, Served, of_filters};
    use crate::{
        api::time::Time,
        clients::Client,
        fleet::{
            filters::{Origin, Poll},
            gathered::Gathered,
        },
        http::{router, state::Services},
        kubernetes::SharedHealth,
        serving::{gate::Gate, published::Variant},
        shutdown,
    };

    /// A replica that one proxy has reported to.
    fn served() -> Served {
        served_by(Services::default())
    }

    fn served_by(services: Services) -> Served {
        let report = FaultReport::parse("e1;_other=2.1.1.0.0.0").unwrap();
        services.faults.reported(Client::default(), &node(0), &report, |_| false);
        let (_trigger, shutdown) = shutdown::channel();
        router(Arc::clone(Gate::default().publisher()), Arc::default(), shutdown, services).served
    }

    fn node(number: u32) -> NodeId {
        NodeId::parse(&format!("n{number}")).unwrap()
    }

    /// The same in a cluster where so many replicas answer.
    fn in_cluster(leads: bool, answers: usize) -> Served {
        let (health, services) = (SharedHealth::default(), Services::default());
        let answer = json!({"filters": [], "since": Time(services.filters.since())});
        let answer = serde_json::from_value(answer).unwrap();
        health.set_leader(leads, None);
        health.set_gathered(Gathered::of(&vec![answer; answers]));
        served_by(Services { cluster: Some(Arc::new(health)), ..services })
    }

    /// What is shown of a policy and of a proxy may be too small.
    fn is_partial(served: &Served, others: Option<&Others>) -> bool {
        let of_policy = Reports::of(served, others).policy("_other").unwrap().partial;
        assert_eq!(of_filters(served, others)(&node(0)).unwrap().partial, of_policy);
        of_policy
    }

    #[test]
    fn a_replica_that_is_not_asked_makes_the_figures_partial() {
        assert!(!is_partial(&served(), None), "there is no cluster");
        for (leads, answers, expected) in [
            (true, 2, true),
            (false, 2, true),
            // Not known: one of them does not answer, or none was asked yet.
            (true, 0, true),
            // Another one leads, whatever the endpoints say.
            (false, 1, true),
            (true, 1, false),
        ] {
            assert_eq!(is_partial(&in_cluster(leads, answers), None), expected, "{leads} {answers}");
        }
        let asked = Others { has_all_reports: true, ..Others::default() };
        assert!(!is_partial(&in_cluster(false, 2), Some(&asked)), "it is asked");
        assert!(is_partial(&in_cluster(true, 1), Some(&Others::default())), "it does not answer");
    }

    #[test]
    fn filters_that_have_no_room_make_the_figures_partial() {
        let served = served();
        let variant = Arc::new(Variant::from(Scope::new(["demo"], ["a"]).unwrap()));
        assert!(!is_partial(&served, None));
        for number in 0..=20_000 {
            let origin = Origin { client: Client::default(), is_own: false };
            let node = node(number);
            let poll = Poll { node, variant: &variant, digest: None, plugins: None, wait: Duration::ZERO };
            served.services.filters.polled(origin, poll, Arc::clone);
        }
        assert!(is_partial(&served, None));
    }
}
