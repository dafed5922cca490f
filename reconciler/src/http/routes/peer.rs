//! `/v1/peer/…`: what replicas tell each other.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
};

use crate::{
    api::{
        peer_halts::PeerHalts,
        peers::{PeerAnswer, PeerEndedPod, PeerState, REPLICA},
    },
    clock::now,
    fleet::shared::told,
    http::{
        body,
        operation::{Operation, Parameter, TokenKind, json},
        peer::Peer,
        peering::{Peering, asking},
        problem::Problem,
        state::{Served, Services},
    },
    printable::printable_start,
};

/// The time for the body that another replica sends.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most characters of what is wrong with it.
const LONGEST_ERROR: usize = 300;
/// The most pods of a kind that are told: as many as fit beside the filters, whatever their names are.
const MAX_PODS: usize = 200;

pub(crate) async fn state(
    State(served): State<Served>,
    Peer(client): Peer,
    request: Request,
) -> Result<Json<PeerAnswer<PeerState>>, Problem> {
    let peering = peering(&served)?;
    peering.authorize(request.headers(), client)?;
    let services = Arc::clone(&served.services);
    let is_known = served.publisher.reported_names();
    let answer = peering.answer(request.headers(), move || state_of(&services, is_known)).await?;
    Ok(Json(answer))
}

fn state_of(services: &Services, is_known: impl Fn(&str) -> bool) -> PeerState {
    let polled = services.unreported.last();
    let cluster = services.cluster.as_ref().map(|cluster| cluster.current()).unwrap_or_default();
    let ended = cluster.ended.iter().take(MAX_PODS);
    let ended =
        ended.map(|(pod, at)| PeerEndedPod { past_millis: now().millis_since(*at), pod: pod.clone() });
    PeerState {
        ended_pods: ended.collect(),
        silent_pods: cluster.silent_pods().take(MAX_PODS).collect(),
        unreported_millis: polled.map(|polled| now().millis_since(polled)),
        ..told(&services.filters, &services.faults, is_known)
    }
}

/// Takes over the halts that another replica tells, and tells those that are known here.
pub(crate) async fn halts(
    State(served): State<Served>,
    Peer(client): Peer,
    request: Request,
) -> Result<Json<PeerAnswer<PeerHalts>>, Problem> {
    let peering = peering(&served)?;
    peering.authorize(request.headers(), client)?;
    body::is_json(request.headers())?;
    let headers = request.headers().clone();
    let told = body::read(&served.services.halt_bodies, client, request, PATIENCE).await?;
    let wrong = |reason: String| Problem::new(StatusCode::BAD_REQUEST, reason);
    let told: PeerHalts = serde_json::from_slice(&told).map_err(|error| {
        // It may repeat the body.
        let error = printable_start(&error.to_string(), LONGEST_ERROR);
        wrong(format!("the body is not what a replica tells of halts: {error}"))
    })?;
    let exchange = served
        .services
        .halting
        .exchange
        .as_ref()
        .ok_or_else(|| Problem::not_ready("it starts".to_owned()))?;
    exchange.hear_from(asking(&headers), told).map_err(wrong)?;
    Ok(Json(peering.answer_at_once(&headers, || exchange.told())))
}

/// The other replicas, if this one knows any.
fn peering(served: &Served) -> Result<&Peering, Problem> {
    let off = "this replica has no peers; name them with --peers (HFI_PEERS)";
    served.services.peering.as_ref().ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, off))
}

pub(crate) fn state_described() -> Operation {
    let id = "The SHA-256 of the id of the replica that asks. It gets no more than names if it is this one";
    Operation::new("What this replica tells the others: the filters that polled it, and what they reported")
        .parameter(Parameter::header(REPLICA, id))
        .answers(200, "The filters of the last 16 minutes", Some(json::<PeerAnswer<PeerState>>()), &[])
        .problems(&[401, 403, 404, 429, 503])
        .secured(&[TokenKind::Peer])
}

pub(crate) fn halts_described() -> Operation {
    let id = "The SHA-256 of the id of the replica that tells. It gets no more than names if it is this one";
    Operation::new("What replicas tell each other of halts: the answer is what this one knows")
        .parameter(Parameter::header(REPLICA, id))
        .body("The halts that the other one knows", [json::<PeerHalts>()])
        .answers(
            200,
            "The halts that are known here, with those that were told",
            Some(json::<PeerAnswer<PeerHalts>>()),
            &[],
        )
        .problems(&[400, 401, 403, 404, 408, 413, 415, 429, 503])
        .secured(&[TokenKind::Peer])
}
