//! `POST /v1/hooks/{forge}`: a forge tells that a branch was pushed.

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderName, StatusCode, header::WWW_AUTHENTICATE},
    response::{IntoResponse, Response},
};
use tracing::debug;

use crate::{
    api::hooks::{Notified, NotifiedStatus},
    clients::Client,
    http::{
        body,
        limits::BODY_TIME,
        notification::Forge,
        operation::{Content, Operation, Parameter, binary, json},
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
    let body = body::read(&served.services.bodies, client, request, BODY_TIME)
        .await
        .map_err(IntoResponse::into_response)?;
    match secrets.proves(forge, proof.as_bytes(), &body) {
        Ok(true) => drop(body),
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
        .body("At most 1 MiB. It is verified and not read.", [Content("*/*", binary)])
        .answers(202, "The notification is genuine", Some(json::<Notified>()), &[])
        .problems(&[401, 403, 404, 408, 413, 503])
}
