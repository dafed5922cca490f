//! Metrics in the text format of OpenMetrics.
//!
//! What is counted is kept here; what is so now is asked for when somebody scrapes.

use prometheus_client::{
    encoding::text,
    metrics::{family::Family, gauge::Gauge, info::Info},
    registry::{Registry, Unit},
};

use crate::{
    api::counts::Counts,
    kubernetes::{ClusterHealth, ClusterTask},
    serving::status::Version,
    telemetry::counters::{Labels, Notifications, Reconciles},
};

/// The content type of [`State::text`].
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is so at the moment of a scrape.
#[derive(Debug)]
pub(super) struct State {
    pub(super) reconciles: Reconciles,
    pub(super) notifications: Notifications,
    /// What is in force, if anything is.
    pub(super) version: Option<Version>,
    pub(super) counts: Counts,
    /// Nothing of it is served.
    pub(super) halted: bool,
    /// Nothing is in force any more.
    pub(super) withdrawn: bool,
    /// How many seconds ago the source was last read, if it ever was.
    pub(super) age: Option<f64>,
    pub(super) polls_parked: usize,
    pub(super) event_streams: usize,
    pub(super) scopes: usize,
    /// The number of filters in each state.
    pub(super) filters: [(&'static str, usize); 3],
    /// How it stands with the cluster, if it is a peer.
    pub(super) cluster: Option<ClusterHealth>,
}

impl State {
    /// The whole, as a scraper reads it.
    pub(super) fn text(self) -> String {
        let Self { reconciles: Reconciles { total, duration }, notifications, version, counts, age, .. } =
            self;
        let mut registry = Registry::with_prefix("hfi");
        registry.register("build", "The version of hfi", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        registry.register("reconciles", "Looks at the source, by result", total);
        let help = "How long a look at the source took, until its policies were served";
        registry.register_with_unit("reconcile_duration", help, Unit::Seconds, duration);
        registry.register("notifications", "Push notifications, by forge and result", notifications.total);
        if let Some(Version { revision, digest }) = version {
            let labels = [("revision", revision.to_string()), ("digest", digest.to_string())];
            registry.register(
                "serving",
                "The commit in force, and the digest of all its policies",
                Info::new(labels),
            );
        }
        if let Some(age) = age {
            let gauge = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
            gauge.set(age);
            registry.register_with_unit(
                "source_age",
                "Time since the source was last read",
                Unit::Seconds,
                gauge,
            );
        }
        by_state(&mut registry, "policies", "Valid policies, by state", &counts.states());
        by_state(&mut registry, "filters", "Filters that have polled, by state", &self.filters);
        for (name, help, count) in [
            ("halted", "1 while every snapshot is empty because of the halt file", usize::from(self.halted)),
            (
                "withdrawn",
                "1 while nothing is in force because whoever signed it may no longer",
                usize::from(self.withdrawn),
            ),
            ("rejected_files", "Policy files with an error", counts.rejected_files),
            ("policy_errors", "Errors in policy files", counts.errors),
            ("polls_parked", "Polls held until their snapshot changes", self.polls_parked),
            ("event_streams", "Open streams of events", self.event_streams),
            ("scopes", "Scopes whose snapshot is kept", self.scopes),
        ] {
            registry.register(name, help, gauge(count));
        }
        if let Some(view) = &self.cluster {
            peer(&mut registry, view);
        }
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = text::encode(&mut text, &registry);
        text
    }
}

fn peer(registry: &mut Registry, view: &ClusterHealth) {
    let leader = gauge(usize::from(view.leader));
    registry.register("leader", "1 while this replica does what only one may do", leader);
    let failing = Family::<Labels<1>, Gauge>::default();
    for duty in ClusterTask::ALL {
        let is_failing = view.failing.contains_key(&duty);
        failing.get_or_create(&[("duty", duty.as_str())]).set(i64::from(is_failing));
    }
    registry.register("kubernetes_failing", "1 while the API server does not do this for us", failing);
    if let Some(namespaces) = &view.namespaces {
        let help = "Namespaces of the cluster, as they were last known";
        registry.register("kubernetes_namespaces", help, gauge(namespaces.count()));
    }
}

fn by_state(registry: &mut Registry, name: &str, help: &str, counts: &[(&'static str, usize)]) {
    let family = Family::<Labels<1>, Gauge>::default();
    for (state, count) in counts {
        family.get_or_create(&[("state", *state)]).set(*count as i64);
    }
    registry.register(name, help, family);
}

fn gauge(count: usize) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(count as i64);
    gauge
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc, time::Duration};

    use policies::Digest;

    use super::State;
    use crate::{
        api::counts::Counts,
        kubernetes::ClusterHealth,
        reference,
        serving::namespaces::Namespaces,
        serving::status::Version,
        source::Revision,
        telemetry::counters::{Notifications, Outcome, Reconciles},
    };

    /// Every metric that there is: its name with its labels, and its kind.
    fn printed() -> BTreeSet<(String, String)> {
        let (reconciles, notifications) = (Reconciles::default(), Notifications::default());
        reconciles.note(Outcome::Success, Duration::ZERO);
        notifications.note("github", Outcome::Success);
        let version = Version { revision: Revision::new("main@sha1:0".to_owned()), digest: Digest::of(b"") };
        let state = State {
            reconciles,
            notifications,
            version: Some(version),
            counts: Counts::default(),
            halted: false,
            withdrawn: false,
            age: Some(0.0),
            polls_parked: 0,
            event_streams: 0,
            scopes: 0,
            filters: [("in_step", 0), ("lagging", 0), ("gone", 0)],
            cluster: Some(ClusterHealth {
                namespaces: Some(Arc::new(Namespaces::default())),
                ..ClusterHealth::default()
            }),
        };
        let text = state.text();
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        types
            .map(|(name, kind)| {
                let suffix = match kind {
                    "info" => "_info",
                    "counter" => "_total",
                    _ => "",
                };
                let name = format!("{name}{suffix}");
                let labels = text.lines().find_map(|line| line.strip_prefix(&format!("{name}{{")));
                let labels = labels.and_then(|line| line.split_once('}')).map(|(labels, _)| {
                    let names = labels.split(',').map(|label| label.split_once('=').unwrap().0);
                    format!("{{{}}}", names.collect::<Vec<_>>().join(","))
                });
                (format!("`{name}{}`", labels.unwrap_or_default()), kind.to_owned())
            })
            .collect()
    }

    #[test]
    fn the_reference_has_every_metric_with_its_labels_and_kind() {
        let rows = reference::rows("Metrics").into_iter();
        let table: BTreeSet<_> = rows.map(|row| (row[0].clone(), row[1].clone())).collect();
        assert_eq!(table, printed());
    }
}
