//! `POST /v1/hooks/{forge}`: a forge tells that a branch was pushed.

use std::sync::Arc;

use axum::{
    Json,
    body::{Bytes, HttpBody as _},
    extract::{FromRequest as _, Path, Request, State},
    http::{
        HeaderName, StatusCode,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use tokio::{sync::Notify, time::timeout};
use tracing::debug;

use crate::{
    api::hooks::{Notified, NotifiedStatus},
    clients::Client,
    http::{
        limits::{self, BODY_TIME, MAX_BODIES, MAX_BODY},
        notification::Forge,
        operation::{Operation, Parameter, json},
        peer::Peer,
        problem::Problem,
        state::Served,
    },
    telemetry::counters::Outcome,
};

pub(crate) async fn post(
    State(served): State<Served>,
    Peer(client): Peer,
    Path(forge): Path<String>,
    request: Request,
) -> Response {
    let Some(forge) = Forge::parse(&forge) else {
        let detail = format!("notifications come from one of: {}", Forge::ALL.map(Forge::as_str).join(", "));
        return Problem::new(StatusCode::NOT_FOUND, detail).into_response();
    };
    let answer = notified(&served, client, forge, request).await;
    let outcome = if answer.is_ok() { Outcome::Success } else { Outcome::Failure };
    served.counters.notifications.note(forge.as_str(), outcome);
    answer.unwrap_or_else(|refusal| refusal)
}

async fn notified(
    served: &Served,
    client: Client,
    forge: Forge,
    request: Request,
) -> Result<Response, Response> {
    let Some(secrets) = &served.services.secrets else {
        let detail = "notifications are off; switch them on with --hook-secret-file (HFI_HOOK_SECRET_FILE)";
        return Err(Problem::new(StatusCode::NOT_FOUND, detail).into_response());
    };
    let proof = request.headers().get(forge.header()).cloned();
    let proof = proof.ok_or_else(|| refused(forge, "is missing"))?;
    if request.body().size_hint().lower() > MAX_BODY as u64 {
        return Err(Problem::too_large().into_response());
    }
    let bodies = &served.services.bodies;
    let (reading, closed) = (bodies.take(client).ok_or_else(busy)?, Arc::<Notify>::default());
    bodies.close_by(reading.key(), Arc::clone(&closed));
    let body = tokio::select! {
        body = timeout(BODY_TIME, Bytes::from_request(request, &())) => body,
        () = closed.notified() => return Err(busy()),
    };
    let body = body.map_err(|_| {
        let detail = format!("the body takes longer than {} s", BODY_TIME.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, detail).into_response()
    })?;
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large().into_response(),
        status => Problem::new(status, "the body broke off").into_response(),
    })?;
    match secrets.proves(forge, proof.as_bytes(), &body) {
        Ok(true) => drop((body, reading)),
        Ok(false) => return Err(refused(forge, "does not prove that the notification is genuine")),
        Err(error) => {
            debug!(forge = forge.as_str(), "a notification cannot be verified: {error}");
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response());
        }
    }
    debug!(forge = forge.as_str(), "notified");
    served.syncs.request();
    Ok((StatusCode::ACCEPTED, Json(Notified { status: NotifiedStatus::Accepted })).into_response())
}

fn busy() -> Response {
    let detail = format!("{MAX_BODIES} notifications are being read already; try again later");
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    ([(RETRY_AFTER, limits::RETRY_AFTER)], problem).into_response()
}

fn refused(forge: Forge, why: &str) -> Response {
    let detail = format!("the header {} {why}", forge.header());
    // RFC 9110 asks for a challenge: the header that is the proof is all there is to name.
    let challenge: [(HeaderName, &str); 1] = [(WWW_AUTHENTICATE, forge.header())];
    (challenge, Problem::new(StatusCode::UNAUTHORIZED, detail)).into_response()
}

pub(crate) fn described() -> Operation {
    let forges = serde_json::json!({"enum": Forge::ALL.map(Forge::as_str)});
    let operation = Operation::new("A push notification: the source is read now").parameter(Parameter::path(
        "forge",
        "The sender",
        forges,
    ));
    let proofs = Forge::ALL.map(|forge| Parameter::header(forge.header(), forge.proof_description()));
    proofs
        .into_iter()
        .fold(operation, Operation::parameter)
        .body("At most 1 MiB. It is verified and not read.")
        .answers(202, "The notification is genuine", Some(json::<Notified>()), &[])
        .problems(&[401, 404, 408, 413, 503])
}
