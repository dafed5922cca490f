//! `POST /v1/policies`, and `PUT` and `DELETE` of one policy: changes that become commits.

mod answer;
mod description;
mod reading;

use std::time::{Duration, Instant};

use axum::{
    extract::{Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use tokio::{task, time::timeout_at};
use tracing::{info, warn};

pub(crate) use self::description::{delete_described, post_described, put_described};
use self::{
    answer::{Refused, Written},
    reading::{Target, order},
};
use crate::{
    clients::Client,
    http::{
        peer::{Address, Peer},
        prefer::{self, Wait},
        problem::Problem,
        state::Served,
        writing::Writing,
    },
    random_id::random_id,
    writes::{
        leaving::{Left, client},
        outcome::Refusal,
    },
};

/// The time of a whole request that does not say how long it waits, and the longest.
const WAIT: Duration = Duration::from_secs(20);
const MAX_WAIT: Duration = Duration::from_secs(60);

/// A request that changes policies, before its sender is known.
#[derive(Debug)]
struct Sent {
    id: String,
    target: Target,
    request: Request,
}

pub(crate) async fn post(
    State(served): State<Served>,
    peer: Peer,
    address: Address,
    request: Request,
) -> Response {
    respond(&served, peer, address, Target::Body, request).await
}

pub(crate) async fn put(
    State(served): State<Served>,
    peer: Peer,
    address: Address,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    respond(&served, peer, address, Target::Put(name), request).await
}

pub(crate) async fn delete(
    State(served): State<Served>,
    peer: Peer,
    address: Address,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    respond(&served, peer, address, Target::Delete(name), request).await
}

/// Does a request to its end, also if its client leaves: what was pushed must be told in the log.
async fn respond(
    served: &Served,
    Peer(peer): Peer,
    address: Address,
    target: Target,
    request: Request,
) -> Response {
    let (here, left) = client();
    let served = served.clone();
    let told = task::spawn(async move { tell(&served, peer, address, target, request, left).await }).await;
    drop(here);
    told.unwrap_or_else(|_| {
        let detail = "the change broke off; look whether it is in the branch";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).unknown(None).into_response()
    })
}

/// Does a request, and tells of it in the log, in the metrics and to the client.
async fn tell(
    served: &Served,
    client: Client,
    Address(address): Address,
    target: Target,
    request: Request,
    left: Left,
) -> Response {
    let Some(writing) = &served.services.writing else {
        let detail = "changes by HTTP are off; switch them on with --write-token-file (HFI_WRITE_TOKEN_FILE)";
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).header(header::ALLOW, "GET, HEAD");
        return problem.into_response();
    };
    let (id, wait) = (random_id(), prefer::preferred(request.headers()).map(|wait| wait.at_most(MAX_WAIT)));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let from = address.map(|address| address.to_canonical().to_string()).unwrap_or_default();
    let sent = Sent { id: id.clone(), target, request };
    let (user, result) = write(served, writing, client, sent, wait, left).await;
    let (user, request) = (user.as_deref().unwrap_or_default(), id.as_str());
    let (label, mut response) = match result {
        Ok(written) => {
            let (what, commit) = (written.what(), written.commit());
            info!(user, from, request, %method, path, what, commit, served = written.is_served(), "a write");
            (written.label(), written.into_response())
        }
        Err(refused) => {
            let (status, reason) = (refused.problem.status().as_u16(), refused.problem.detail());
            warn!(user, from, request, %method, path, status, reason, "a write was refused");
            if matches!(status, 404 | 409 | 412) {
                // The client may have read what is served here, and the branch is newer: then it can read that soon.
                served.syncs.request();
            }
            (refused.label, refused.problem.of_request(id.clone()).into_response())
        }
    };
    served.counters.writes.note(label);
    if let Some(wait) = wait {
        wait.tell(&mut response);
    }
    response
}

/// Does a request. Returns its sender, as soon as that is known.
async fn write(
    served: &Served,
    writing: &Writing,
    client: Client,
    sent: Sent,
    wait: Option<Wait>,
    mut left: Left,
) -> (Option<String>, Result<Written, Refused>) {
    let deadline = Instant::now() + wait.map_or(WAIT, Wait::duration);
    let id = sent.id.clone();
    let headers = sent.request.headers().clone();
    let rights = writing.authorize(&served.services.failures, &headers, client);
    let rights = match timeout_at(deadline.into(), rights).await {
        Ok(Ok(rights)) => rights,
        Ok(Err(problem)) => return (None, Err(problem.into())),
        Err(_) => return (None, Err(late().into())),
    };
    let user = Some(rights.user.as_str().to_owned());
    let done = async {
        writing.count(&rights.user)?;
        let order = order(served, &writing.writes, client, rights, sent, deadline).await?;
        let fingerprint = order.fingerprint;
        let done = writing.writes.write(order, &mut left).await?;
        let is_served = match done.at {
            Some(commit) => tokio::select! {
                is_served = writing.writes.until_served(commit, deadline) => is_served,
                () = left.left() => false,
            },
            None => false,
        };
        if left.has_left() {
            writing.writes.remember(fingerprint, done.clone());
        }
        Ok(Written::new(served, &writing.writes, id, done, is_served))
    };
    (user, done.await)
}

/// The refusal of a request that is not done in time.
fn late() -> Refusal {
    Refusal::Unavailable("it was not done in time; nothing was written".to_owned())
}
