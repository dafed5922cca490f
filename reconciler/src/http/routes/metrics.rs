//! `GET /metrics`, for Prometheus. A new metric is a line here and a row in `reconciler/REFERENCE.md`.

mod measured;

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::http::{
    fault_reports::Reports,
    operation::{Content, Operation, text},
    peer::Peer,
    problem::Problem,
    state::Served,
};
use crate::{
    clock::seconds_since,
    fleet::{
        filters,
        shared::{AllFilters, Others},
    },
    kubernetes::{ClusterHealth, ClusterTask},
    serving::{
        published::Publication,
        scope_cache::Occupancy,
        status::{Version, counts},
    },
    telemetry::exposition::{Exposition, MEDIA_TYPE},
    version,
};

/// The most proxies that are named one by one.
const MOST_PROXIES: usize = 100;

pub(crate) async fn get(State(served): State<Served>, Peer(client): Peer) -> Result<Response, Problem> {
    let services = Arc::clone(&served.services);
    // Before a turn is taken: a replica that is silent must not keep others waiting.
    let others = services.others(&served.publisher).await;
    let make = move || exposition(&served, others.as_deref()).text();
    let text = services.making.make(client, make).await?;
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response())
}

fn exposition(served: &Served, others: Option<&Others>) -> Exposition {
    let mut metrics = Exposition::default();
    let labels = [
        ("version", version::VERSION.to_owned()),
        ("revision", version::commit().unwrap_or_default().to_owned()),
    ];
    metrics.info("build", "The version of hfi, and the commit that it was built from", labels);
    served.counters.expose(&mut metrics);
    if let Some(read_at) = served.syncs.attempts().read_at {
        metrics.seconds("source_age", "The time since the source was last read", seconds_since(read_at));
    }
    policies(served, &mut metrics);
    measured::expose(&Reports::of(served, others), &mut metrics);
    clients(served, others, &mut metrics);
    let peering = served.services.peering.as_ref();
    if let Some(counts) = peering.and_then(|peering| peering.shared.peers.counts()) {
        peers(counts, &mut metrics);
    }
    if let Some(health) = &served.services.cluster {
        cluster(&health.current(), &mut metrics);
    }
    metrics
}

fn policies(served: &Served, metrics: &mut Exposition) {
    let namespaces = served.services.namespaces();
    let (counts, is_halted, withdrawn) = match served.publisher.publication() {
        Publication::Serving(published) => {
            let counts = counts(&published, namespaces.as_deref());
            (counts, published.is_halted(), published.holds.withdrawn.is_some())
        }
        Publication::Starting { .. } => Default::default(),
    };
    if let Ok(Version { revision, digest }) = Version::of(&served.publisher) {
        let labels = [("revision", revision.to_string()), ("digest", digest.to_string())];
        metrics.info("serving", "The commit in force, and the digest of all its policies", labels);
    }
    metrics.gauge("halted", "1 while all snapshots are empty because of a halt", usize::from(is_halted));
    let help = "1 while nothing is in force because the signer is no longer trusted";
    metrics.gauge("withdrawn", help, usize::from(withdrawn));
    metrics.gauges("policies", "Valid policies, by state", "state", counts.states());
    metrics.gauge("rejected_files", "Policy files with an error", counts.rejected_files);
    metrics.gauge("policy_errors", "Errors in policy files", counts.errors);
}

fn clients(served: &Served, others: Option<&Others>, metrics: &mut Exposition) {
    let Served { publisher, services, .. } = served;
    let filters = AllFilters::heard_here(&services.filters, others).judged(publisher);
    let filters = filters::counts(&filters).states();
    let Occupancy { scopes, waiting } = publisher.occupancy();
    metrics.gauges("filters", "Filters of which this replica has heard last, by state", "state", filters);
    metrics.gauge("polls_parked", "Polls held until their snapshot changes", waiting);
    metrics.gauge("event_streams", "Open streams of events", services.streams.taken());
    metrics.gauge("scopes", "Scopes whose snapshot is kept", scopes);
}

fn peers((answering, missing): (usize, usize), metrics: &mut Exposition) {
    let states = [("answering", answering), ("missing", missing)];
    metrics.gauges("peers", "The other replicas, by what came of the last question", "state", states);
}

fn cluster(health: &ClusterHealth, metrics: &mut Exposition) {
    metrics.gauge("leader", "1 while this replica holds the Lease", usize::from(health.leader));
    let failing =
        ClusterTask::ALL.map(|task| (task.as_str(), usize::from(health.failing.contains_key(&task))));
    metrics.gauges("kubernetes_failing", "1 while the API server fails at this task", "duty", failing);
    if let Some(namespaces) = &health.namespaces {
        let help = "The last known number of namespaces";
        metrics.gauge("kubernetes_namespaces", help, namespaces.count());
    }
    if let Some(proxies) = &health.proxies {
        metrics.gauge("proxies_covered", "Proxies that should run the filter", proxies.covered);
        let help = "Proxies that do not run every plugin of hfi that is for them";
        metrics.gauge("proxies_silent", help, proxies.silent.len());
        let help = "The time since which a proxy lacks these plugins, since 1970; of the first 100";
        let since = proxies.silent.iter().take(MOST_PROXIES).map(|silent| {
            let labels = [
                ("proxy_namespace", silent.namespace.clone()),
                ("proxy", silent.pod.clone()),
                ("plugins", silent.plugins.join(",")),
            ];
            (labels, silent.since.0.as_millis() as f64 / 1_000.0)
        });
        metrics.seconds_of("proxy_silent_since", help, since);
    }
}

pub(crate) fn described() -> Operation {
    let content = Content("application/openmetrics-text", text);
    Operation::new("Metrics for Prometheus").answers(200, "OpenMetrics", Some(content), &[]).problems(&[503])
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc, time::Duration};

    use policies::{
        Timestamp,
        wire::{FaultReport, poll::NodeId},
    };

    use super::{exposition, peers};
    use crate::{
        api::kubernetes::{Proxies, SilentProxy},
        clients::Client,
        http::{
            router,
            state::{Served, Services},
        },
        kubernetes::SharedHealth,
        reference,
        serving::{gate::Gate, namespaces::Namespaces, published::Whole},
        shutdown,
        source::{Revision, ancestry::Ancestry},
        sync::requests::Syncs,
        telemetry::counters::Outcome,
    };

    /// A server that has everything that a metric can be about.
    fn served() -> Served {
        let gate = Gate::default();
        let whole = Whole {
            revision: Revision::new("main@sha1:0".to_owned()),
            ancestry: Ancestry::default(),
            signed: None,
            catalog: Arc::default(),
            at: Timestamp::from_millis(0),
        };
        gate.publish(whole, None);
        let syncs = Arc::<Syncs>::default();
        syncs.begin();
        syncs.succeeded(Duration::ZERO);
        syncs.counters.notifications.note("github", Outcome::Success);
        syncs.counters.writes.note("committed");
        syncs.counters.reports.left_out("unreadable", 1);
        syncs.counters.refusals.note("unauthorized");
        let health = SharedHealth::default();
        health.set_namespaces(Namespaces::default());
        health.set_leader(true, None);
        let silent = SilentProxy {
            namespace: "demo".to_owned(),
            plugins: Vec::new(),
            pod: "a".to_owned(),
            since: Timestamp::from_millis(0).into(),
            since_by_plugin: std::collections::BTreeMap::new(),
        };
        health.set_proxies(Some(Proxies { covered: 1, silent: vec![silent], stale_since: None }));
        let services = Services { cluster: Some(Arc::new(health)), ..Services::default() };
        let report = FaultReport::parse("e1;_other=2.1.1.0.0.0").unwrap();
        let (client, node) = (Client::default(), NodeId::parse("n1").unwrap());
        services.faults.reported(client, &node, &report, |_| false);
        let (_trigger, shutdown) = shutdown::channel();
        router(Arc::clone(gate.publisher()), syncs, shutdown, services).served
    }

    /// Every metric: its name with its labels, and its kind.
    fn printed(text: &str) -> BTreeSet<(String, String)> {
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
        let mut metrics = exposition(&served(), None);
        peers((1, 0), &mut metrics);
        assert_eq!(table, printed(&metrics.text()));
    }
}
