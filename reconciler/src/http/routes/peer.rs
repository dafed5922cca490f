//! `/v1/peer/…`: what replicas tell each other.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
};

use crate::{
    api::peers::{PeerAnswer, PeerState, REPLICA},
    fleet::shared::told,
    http::{
        authorization::host,
        operation::{Operation, Parameter, json},
        peer::Peer,
        peering::Peering,
        problem::Problem,
        state::Served,
    },
};

pub(crate) async fn state(
    State(served): State<Served>,
    Peer(client): Peer,
    request: Request,
) -> Result<Json<PeerAnswer<PeerState>>, Problem> {
    let peering = peering(&served)?;
    peering.authorize(request.headers(), host(&request).as_deref(), client)?;
    let services = Arc::clone(&served.services);
    let answer = peering.answer(request.headers(), move || told(&services.filters)).await?;
    Ok(Json(answer))
}

/// The other replicas, if this one knows any.
fn peering(served: &Served) -> Result<&Peering, Problem> {
    let off = "this replica has no peers; name them with --peers (HFI_PEERS)";
    served.services.peering.as_ref().ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, off))
}

pub(crate) fn state_described() -> Operation {
    let id = "The id of the replica that asks. It gets no more than names if it is this one";
    Operation::new("What this replica tells the others: the filters that polled it")
        .parameter(Parameter::header(REPLICA, id))
        .answers(200, "The filters of the last 16 minutes", Some(json::<PeerAnswer<PeerState>>()), &[])
        .problems(&[401, 403, 404, 429, 503])
        .secured()
}
