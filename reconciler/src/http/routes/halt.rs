//! `/v1/halt`: everything stops, and is resumed.

mod request;
mod state;

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse as _, Response},
};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{info, warn};

pub(super) use self::{request::valid_reason, state::replicas};

use crate::{
    access::rights::Rights,
    api::halts::HaltState,
    clients::Client,
    halts::{exchange, resuming::resume},
    http::{
        authorization, body,
        limits::{self, BODY_TIME},
        operation::{self, Content, GRANTED, Operation, Parameter, TokenKind, json},
        peer::{Address, Peer},
        prefer::{self, Wait},
        problem::Problem,
        refusals,
        state::Served,
    },
    serving::published::Publication,
    writes::outcome::Refusal,
};

/// The time to resume that a request gets which does not say how long it waits, and the longest.
const WAIT: Duration = Duration::from_secs(20);
const MAX_WAIT: Duration = Duration::from_secs(60);

pub(crate) async fn get(
    State(served): State<Served>,
    Peer(client): Peer,
) -> Result<Json<HaltState>, Problem> {
    let is_halted = match served.publisher.publication() {
        Publication::Serving(published) => published.is_halted(),
        Publication::Starting { .. } => false,
    };
    // Only then filters are counted.
    let others = if is_halted { served.services.others(&served.publisher).await } else { None };
    let services = Arc::clone(&served.services);
    // They may be many.
    services.making.make(client, move || Json(state::of(&served, others.as_deref()))).await
}

/// Halts. Everything is held before anything is waited for; the disk is, for a moment.
pub(crate) async fn post(
    State(served): State<Served>,
    Peer(client): Peer,
    Address(address): Address,
    request: Request,
) -> Result<Json<HaltState>, Problem> {
    // All of the answer is to be there in time, also where it takes time to know who asks.
    let end = Instant::now() + exchange::TIME;
    served.services.halting.is_on(served.services.writing.as_ref())?;
    let rights = authorize(&served, client, request.headers()).await;
    let rights = rights.inspect_err(|problem| refusals::tell(&served, &request, problem))?;
    body::is_json(request.headers())?;
    let body = body::read(&served.services.halt_bodies, client, request, BODY_TIME).await?;
    let reason = request::reason(&body)?;
    stop(&served, &rights, &reason, address, end).await?;
    Ok(Json(state::of(&served, None)))
}

/// Stops everything, for a reason. It is told to the other replicas, too, until then.
pub(super) async fn stop(
    served: &Served,
    rights: &Rights,
    reason: &str,
    address: Option<IpAddr>,
    end: Instant,
) -> Result<(), Problem> {
    let halting = &served.services.halting;
    let (book, user) = (&halting.book, rights.user.as_str());
    let from = address.map(|address| address.to_canonical().to_string()).unwrap_or_default();
    info!(user, from, reason, "a request to halt everything");
    book.halt(user, reason).map_err(Problem::not_ready)?;
    let saved = timeout_at(end, book.until_saved());
    // The state says how far it is.
    let _ = tokio::join!(saved, halting.tell(end));
    Ok(())
}

/// Resumes, and tells how long the request could take.
pub(crate) async fn delete(
    State(served): State<Served>,
    Peer(client): Peer,
    address: Address,
    request: Request,
) -> Response {
    let wait = prefer::preferred(request.headers()).map(|wait| wait.at_most(MAX_WAIT));
    let time = wait.map_or(WAIT, Wait::duration);
    let mut response = resume_within(time, &served, client, address, request).await.into_response();
    if let Some(wait) = wait {
        wait.tell(&mut response);
    }
    response
}

async fn resume_within(
    time: Duration,
    served: &Served,
    client: Client,
    Address(address): Address,
    request: Request,
) -> Result<Json<HaltState>, Problem> {
    served.services.halting.is_on(served.services.writing.as_ref())?;
    let rights = authorize(served, client, request.headers()).await;
    let rights = rights.inspect_err(|problem| refusals::tell(served, &request, problem))?;
    let user = rights.user.as_str().to_owned();
    let writing = served.services.writing.as_ref().filter(|_| rights.resume);
    let Some(writing) = writing else {
        let detail = format!(
            "`{user}` may not resume: that needs a token of --write-token-file with the right `resume`"
        );
        let problem = Problem::new(StatusCode::FORBIDDEN, detail);
        refusals::tell(served, &request, &problem);
        return Err(problem);
    };
    writing.count(&rights.user).inspect_err(|problem| refusals::tell(served, &request, problem))?;
    let from = address.map(|address| address.to_canonical().to_string()).unwrap_or_default();
    info!(user, from, "a request to resume");
    let (book, writes) = (Arc::clone(&served.services.halting.book), Arc::clone(&writing.writes));
    // A client that leaves cancels nothing.
    let publisher = Arc::clone(&served.publisher);
    let resuming = tokio::spawn(async move {
        let resumed = resume(Arc::clone(&book), writes, publisher, user.clone()).await;
        if let Err(refusal) = &resumed {
            // Its client may have left: whoever looks is told.
            let reason = refusal.reason();
            warn!(user, reason, "not resumed");
            book.resume_failed(&format!("not resumed: {reason}"));
        }
        resumed
    });
    let resumed = match timeout(time, resuming).await {
        Ok(Ok(resumed)) => resumed,
        Ok(Err(_)) => Err(Refusal::Unavailable("everything stays halted: resuming failed".to_owned())),
        Err(_) => Err(Refusal::Unavailable(
            "everything stays halted until the removal of the halt is in the branch and fetched; that goes on, and GET \
             /v1/halt tells when it is done"
                .to_owned(),
        )),
    };
    resumed.map_err(|refusal| problem(&refusal))?;
    served.services.halting.tell(Instant::now() + exchange::TIME).await;
    let state = state::of(served, None);
    if state.halted {
        return Err(Problem::new(StatusCode::CONFLICT, still_halted(&state)));
    }
    Ok(Json(state))
}

/// The reason why it is halted although all halts by HTTP that were known have ended, and the way out.
fn still_halted(state: &HaltState) -> String {
    let again = state.id.as_ref().map(|_| {
        let by = state.by.as_deref().filter(|by| !by.is_empty()).unwrap_or("somebody");
        format!("{by} has halted again meanwhile; send this again to end that, too")
    });
    let standing = (!state.standing.is_empty()).then(|| format!("remove {}", state.standing.join(", ")));
    let reasons: Vec<_> = again.into_iter().chain(standing).collect();
    if reasons.is_empty() {
        "everything stays halted by hfi-halt.yaml, which is in Git again; send this again, or remove the file by a commit"
            .to_owned()
    } else {
        format!("everything stays halted: {}", reasons.join("; "))
    }
}

async fn authorize(served: &Served, client: Client, headers: &HeaderMap) -> Result<Arc<Rights>, Problem> {
    rights(served, &authorization::token(headers)?, client).await
}

/// The rights of the owner of a token who may halt.
pub(super) async fn rights(served: &Served, token: &[u8], client: Client) -> Result<Arc<Rights>, Problem> {
    let (halting, writing) = (&served.services.halting, served.services.writing.as_ref());
    halting.authorize(writing, &served.services.failures, token, client).await
}

/// The answer to somebody who wants to resume and cannot.
fn problem(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::Unavailable(reason) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason.as_str())
            .header(RETRY_AFTER, limits::RETRY_AFTER),
        other => Problem::new(StatusCode::CONFLICT, other.reason()),
    }
}

pub(crate) fn get_described() -> Operation {
    Operation::new("The halt of everything, if there is one")
        .answers(200, "What is known of it", Some(json::<HaltState>()), &[])
        .problems(&[503])
}

pub(crate) fn post_described() -> Operation {
    Operation::new("Halt everything at once, on this replica and its peers; the commit of it follows")
        .body(
            "`{\"reason\": \"…\"}`: one line of at most 200 characters",
            [Content("application/json", operation::reason)],
        )
        .answers(200, "Everything is halted, or was already", Some(json::<HaltState>()), &[])
        .problems(&[400, 401, 403, 405, 408, 413, 415, 429, 503])
        .secured(&[TokenKind::Halt, TokenKind::Write])
}

pub(crate) fn delete_described() -> Operation {
    Operation::new("Resume: remove the halt from the branch, and let go once that is fetched")
        .parameter(Parameter::header(
            "Prefer",
            "`wait=N`: the seconds for all of it, 20 unless said, at most 60",
        ))
        .answers(200, "Nothing is halted any more, or nothing was", Some(json::<HaltState>()), &[GRANTED])
        .problems(&[401, 403, 405, 409, 429, 503])
        .secured(&[TokenKind::Write])
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use axum::extract::State;
    use tokio::time::timeout;

    use super::{Arc, Peer, get};
    use crate::{
        clients::Client,
        http::{
            limits::MAX_MADE_PER_CLIENT,
            router::router,
            state::{Served, Services},
        },
        serving::publisher::Publisher,
        shutdown,
        sync::requests::Syncs,
    };

    fn served() -> Served {
        let (_trigger, shutdown) = shutdown::channel();
        router(Arc::<Publisher>::default(), Arc::<Syncs>::default(), shutdown, Services::default()).served
    }

    #[tokio::test]
    async fn who_asks_for_much_waits_for_the_state_too() {
        let (served, client) = (served(), Client::default());
        let mut stops = Vec::new();
        for _ in 0..MAX_MADE_PER_CLIENT {
            let (stop, stopped) = mpsc::channel::<()>();
            let (begun, running) = tokio::sync::oneshot::channel();
            let services = Arc::clone(&served.services);
            let work = move || {
                let _ = begun.send(());
                let _ = stopped.recv();
            };
            tokio::spawn(async move { services.making.make(client, work).await });
            running.await.unwrap();
            stops.push(stop);
        }
        let mut asked = Box::pin(get(State(served), Peer(client)));
        assert!(timeout(Duration::from_millis(100), &mut asked).await.is_err(), "it has no turn");
        drop(stops);
        assert!(!asked.await.unwrap().halted);
    }
}
