//! `GET /v1/snapshot`: what a filter runs, held until it changes.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt as _;
use long_poll::Shared;
use policies::wire::{Format, poll};
use tokio::time::{Instant, timeout_at};

use super::filters;
use crate::http::{
    catch_up::{Behind, Running},
    conditional::Known,
    headers::{REVISION, VARY},
    operation::{self, Content, ETAG, GRANTED, Operation, Parameter, binary},
    peer::Peer,
    prefer::{self, Wait},
    problem::Problem,
    state::Served,
};
use crate::{
    clients::Client,
    fleet::filters::Recorded,
    serving::published::{Body, Variant},
    source::Revision,
};

pub(crate) async fn get(
    State(served): State<Served>,
    Peer(client): Peer,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let poll = Poll::read(&served, query.as_deref().unwrap_or_default(), &headers, client)?;
    // They may be long, and the poll may be held.
    drop((query, headers));
    let wait = poll.wait;
    let until = |instant| timeout_at(instant, served.shutdown.requested()).map(drop);
    Ok(respond(poll.answer(&served, until).await?, wait))
}

/// A request for a snapshot. Small, because it is kept while the client waits.
#[derive(Debug)]
pub(crate) struct Poll {
    client: Client,
    /// Its node, if it names one.
    recorded: Option<Recorded>,
    variant: Arc<Variant>,
    known: Known,
    /// The time for which the client wants to wait, as far as that is granted.
    pub(crate) wait: Option<Wait>,
    running: Running,
}

/// The answer, over any kind of connection.
#[derive(Debug)]
pub(crate) enum Answer {
    Full(Body, Revision),
    /// The client keeps what it has, by its entity tag: that is current, or newer than what this replica has.
    NotModified(String, Revision),
    /// This replica is behind that revision, and the client does not say what it has.
    Behind(Revision),
}

impl Poll {
    /// Reads the poll of a request.
    pub(crate) fn read(
        served: &Served,
        query: &str,
        headers: &HeaderMap,
        client: Client,
    ) -> Result<Self, Problem> {
        let format = format(headers)?;
        let scope =
            poll::scope(query).map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
        let (variant, wait) = (Arc::new(Variant { scope, format }), prefer::preferred(headers));
        let recorded = filters::note(served, headers, &variant, wait, client);
        let (known, running) = (Known::of(headers), Running::of(served, headers));
        Ok(Self { client, recorded, variant, known, wait, running })
    }

    /// The snapshot; if the client has it already, it is held until that changes, until its wait is over,
    /// or until the server shuts down. `until` gives a future that ends at an instant, or at the shutdown.
    ///
    /// Not an `async fn`, and without locals for its fields: the future would keep them twice.
    pub(crate) fn answer<E: Future<Output = ()> + Send>(
        mut self,
        served: &Served,
        until: impl FnOnce(Instant) -> E + Send,
    ) -> impl Future<Output = Result<Answer, Problem>> + Send {
        let expiry = self.wait.map(|wait| Instant::now() + wait.duration());
        async move {
            if self.running.is_ahead_of(&served.publisher.publication()) {
                // In a place of its own: it is rare, and would make every other poll larger.
                Box::pin(self.running.catch_up(served, self.wait.map(Wait::duration))).await;
            }
            let mut bodies =
                served.publisher.subscribe_for(self.client, self.variant).map_err(Problem::not_ready)?;
            let is_current = self.known.has(&bodies.borrow_and_update().digest);
            if let Some(expiry) = expiry.filter(|_| is_current) {
                // Whatever ends the wait, the answer says what is so then.
                tokio::select! {
                    biased;
                    _ = bodies.changed() => {}
                    () = until(expiry) => {}
                }
            }
            let body = bodies.borrow_and_update().clone();
            Ok(match self.running.answered_with(&body.published) {
                Ok(revision) if self.known.has(&body.digest) => {
                    Answer::NotModified(body.digest.etag(), revision)
                }
                Ok(revision) => {
                    if let Some(recorded) = self.recorded {
                        served.services.filters.was_given(recorded, self.client, body.digest);
                    }
                    Answer::Full(body, revision)
                }
                // The fetch has not succeeded; or a hold on this replica, which is behind, has ended meanwhile.
                Err(Behind(revision)) => match self.known.first() {
                    Some(etag) => Answer::NotModified(etag, revision),
                    None => Answer::Behind(revision),
                },
            })
        }
    }
}

/// The answer as `axum` takes it. `wait` is what was granted.
pub(crate) fn respond(answer: Answer, wait: Option<Wait>) -> Response {
    let mut response = match answer {
        Answer::Full(body, revision) => full(&body, &revision),
        Answer::NotModified(etag, revision) => not_modified(etag, &revision),
        Answer::Behind(revision) => behind(&revision),
    };
    if let Some(wait) = wait {
        wait.tell(&mut response);
    }
    response
}

fn full(body: &Body, revision: &Revision) -> Response {
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(body.format.media_type()))];
    (content_type, validators(body.digest.etag(), revision), Extension(Shared), body.bytes.clone())
        .into_response()
}

fn not_modified(etag: String, revision: &Revision) -> Response {
    (StatusCode::NOT_MODIFIED, validators(etag, revision)).into_response()
}

fn validators(etag: String, revision: &Revision) -> [(HeaderName, String); 4] {
    [
        (header::ETAG, etag),
        (REVISION, revision.to_string()),
        (header::VARY, VARY.to_owned()),
        // A cache between would answer polls in our place with what may be over.
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ]
}

fn behind(revision: &Revision) -> Response {
    let detail = format!("this replica is behind {revision} and cannot fetch it; see /v1/ready");
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    ([(header::RETRY_AFTER, "1")], problem).into_response()
}

/// The format that the client wants most.
fn format(headers: &HeaderMap) -> Result<Format, Problem> {
    let accept = headers.get_all(header::ACCEPT).iter().map(HeaderValue::as_bytes);
    Format::negotiate(accept).ok_or_else(|| {
        let formats = Format::ALL.map(Format::media_type).join(", ");
        Problem::new(StatusCode::NOT_ACCEPTABLE, format!("snapshots come as one of: {formats}"))
    })
}

pub(crate) fn described() -> Operation {
    let item = serde_json::json!({"type": "string", "pattern": "^(\\*|[A-Za-z0-9._-]{1,253})$"});
    let names = serde_json::json!({"type": "array", "items": item});
    let scope =
        |name| Parameter { schema: names.clone(), ..Parameter::query(name, "May repeat; `*` is any") };
    Operation::new("The policies of a scope, as filters run them")
        .parameter(scope("namespace"))
        .parameter(scope("service"))
        .parameter(Parameter {
            schema: serde_json::json!({"type": "string", "enum": Format::ALL.map(Format::media_type)}),
            ..Parameter::header("Accept", "The format of the snapshot; without it the first")
        })
        .parameter(Parameter::if_none_match())
        .parameter(Parameter::header(
            "Prefer",
            "`wait=N`: hold the request up to N seconds, at most 300, until the snapshot is another",
        ))
        .parameter(Parameter::header(
            poll::REVISION,
            "The revision that the client runs: a server that does not know it fetches before it answers",
        ))
        .parameter(Parameter::header(
            poll::NODE,
            "The id of the Envoy node of the filter: at most 253 of `A-Za-z0-9._~-`; another is ignored",
        ))
        .parameter(Parameter::header(
            poll::PLUGINS,
            "The plugins of hfi that run in the proxy, as `namespace/name`, at most 16, with commas between them; \
             another list is ignored",
        ))
        .parameter(Parameter::header(
            poll::FAULTS,
            "What policies did in the proxy: `EPOCH;NAME=MATCHED.CHOSEN.ABORTS.DELAYS.SHADOW.OVERFLOW;…`, totals of one \
             life of its Envoy process, at most 1,024 bytes; what cannot be read is left out",
        ))
        .answers(
            200,
            "The snapshot",
            Some(Content(Format::V1.media_type(), binary)),
            &[ETAG, operation::REVISION, GRANTED],
        )
        .or_as(Content(Format::V2.media_type(), binary))
        .answers(
            304,
            "The client has it already, also after the wait, or something newer",
            None,
            &[ETAG, operation::REVISION, GRANTED],
        )
        .problems(&[400, 406, 503])
}
