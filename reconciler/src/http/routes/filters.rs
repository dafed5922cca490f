//! `GET /v1/filters`: the filters that poll, and the snapshot that each runs.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use policies::{
    Digest,
    wire::{PluginNames, poll},
};

use crate::api::{self, measured::Measured};
use crate::clients::Client;
use crate::clock::now;
use crate::fleet::{
    filters::{Filter, Origin, Poll, Recorded},
    shared::{AllFilters, Others},
};
use crate::http::{
    conditional, fault_reports,
    filter_query::{self, FilterQuery, Page},
    operation::{Operation, json},
    peer::Peer,
    prefer::Wait,
    problem::Problem,
    state::Served,
};
use crate::serving::published::{Publication, Variant};

pub(crate) async fn get(
    State(served): State<Served>,
    Peer(client): Peer,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let services = Arc::clone(&served.services);
    let query = FilterQuery::read(query.as_deref())?;
    // Before a turn is taken: a replica that is silent must not keep others waiting.
    let others = if query.own { None } else { services.others(&served.publisher).await };
    let make = move || Json(list(&served, others.as_deref(), &query)).into_response();
    services.making.make(client, make).await
}

fn list(served: &Served, others: Option<&Others>, query: &FilterQuery) -> api::filters::Filters {
    let known = AllFilters::new(&served.services.filters, others);
    let AllFilters { is_complete, longest_wait, since, .. } = known;
    let listening = known.listening();
    // A hold may begin or end while filters are compared with what is served.
    let was_held = is_held(served);
    let Page { filters, summary, next } = query.page(known.judged(&served.publisher));
    let held = was_held || is_held(served);
    let measured = fault_reports::of_filters(served, others);
    let modules = api::filters::Modules {
        digests: served.services.modules.digests().collect(),
        unknown_requests: served.counters.unknown_modules.get(),
    };
    api::filters::Filters {
        at: Some(now().into()),
        complete: is_complete,
        filters: filters.iter().map(|filter| show(filter, measured(&filter.node))).collect(),
        held,
        listening_seconds: listening.as_secs(),
        longest_wait_seconds: longest_wait.as_secs(),
        missing: others.map(|others| others.missing.clone()).unwrap_or_default(),
        modules,
        next,
        replicas: others.map(|others| others.count.clone()),
        since: Some(since.into()),
        summary,
    }
}

fn is_held(served: &Served) -> bool {
    let Publication::Serving(published) = served.publisher.publication() else { return false };
    published.is_halted() || published.holds.withdrawn.is_some()
}

fn show(filter: &Filter, measured: Option<Measured>) -> api::filters::Filter {
    let Filter { node, plugins, digest, is_newest, contact, state, .. } = filter;
    api::filters::Filter {
        digest: digest.map(|digest| digest.to_string()),
        last_contact: (*contact).into(),
        measured,
        namespace: filter.namespaces(),
        newest: *is_newest,
        node: node.as_str().to_owned(),
        plugins: plugins.as_ref().map(|plugins| plugins.iter().map(str::to_owned).collect()),
        service: filter.services(),
        state: *state,
    }
}

/// Remembers a poll that has the id of its node, and what it reports of faults. Of another one that is held it is not
/// known who runs what.
pub(crate) fn note(
    served: &Served,
    headers: &HeaderMap,
    variant: &Arc<Variant>,
    wait: Option<Wait>,
    client: Client,
) -> Option<Recorded> {
    let services = &served.services;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let report = fault_reports::read(served, headers);
    let (mut recorded, mut believed) = (None, None);
    let node = text(poll::NODE).and_then(poll::NodeId::parse);
    if node.is_none() && wait.is_some() {
        services.unreported.polled();
    }
    if let Some(node) = node {
        let digest = conditional::first(headers).and_then(Digest::from_etag);
        let plugins = text(poll::PLUGINS).and_then(PluginNames::parse);
        let is_own = address(&node).is_some_and(|address| services.clients.client(address) == client);
        let (origin, wait) = (Origin { client, is_own }, wait.map(Wait::duration).unwrap_or_default());
        let reporter = report.is_some().then(|| node.clone());
        let poll = Poll { node, variant, digest, plugins, wait };
        recorded = services.filters.polled(origin, poll, |variant| served.publisher.shared(variant));
        believed = reporter.filter(|_| recorded.is_some());
    }
    if let Some(report) = report {
        fault_reports::take(served, client, believed.as_ref(), &report);
    }
    recorded
}

/// The address in the id of a node as Istio makes it: `sidecar~ADDRESS~POD.NAMESPACE~DOMAIN`.
fn address(node: &poll::NodeId) -> Option<IpAddr> {
    node.as_str().split('~').nth(1)?.parse().ok()
}

pub(crate) fn described() -> Operation {
    let content = json::<api::filters::Filters>();
    let operation = Operation::new("The filters that polled this replica, and with `--peers` any replica");
    filter_query::described()
        .into_iter()
        .fold(operation, Operation::parameter)
        .answers(200, "The filters of the last 16 minutes", Some(content), &[])
        .problems(&[400, 503])
}
