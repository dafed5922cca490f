//! `GET /v1/events`: server-sent events, one for every new snapshot.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
};
use bytes::Bytes;
use futures_util::stream::unfold;
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

use crate::http::{
    authorization,
    limits::MAX_EVENT_STREAMS,
    operation::{self, Content, Operation, Parameter},
    overviews::Made,
    peer::Peer,
    policy_query::OverviewEvents,
    problem::Problem,
    state::Served,
};
use crate::{
    api,
    clients::{Client, Place},
    clock,
    serving::{
        published::{Publication, Published},
        status::{Version, counts},
    },
};

/// The longest silence of a stream: proxies close connections that are silent for long.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The most bytes that are given to a connection at once: it copies what it cannot send.
const PIECE: usize = 16 * 1024;

/// The data of an event that says only that there is another overview. Browsers leave out an event without data.
const CHANGED: &[u8] = b"{}";

/// A stream, and the version of its last event.
struct Stream {
    served: Served,
    news: watch::Receiver<Publication>,
    told: Option<Version>,
    /// With the events of the first generation, beside ours.
    policies: Option<Policies>,
    /// With the overview, too.
    overview: Option<watch::Receiver<Option<Arc<Made>>>>,
    overview_events: OverviewEvents,
    waiting: VecDeque<Bytes>,
    client: Client,
    /// The token that it was opened with, where reads are closed.
    token: Option<Vec<u8>>,
    /// Another client needs the place.
    closed: Arc<Notify>,
    _place: Place<Arc<Notify>>,
}

/// The policies that a client of the first generation has.
#[derive(Default)]
struct Policies {
    /// The tag of the list; none before the first event.
    told: Option<String>,
    /// The time at which they are others.
    until: Option<policies::Timestamp>,
}

pub(crate) async fn get(
    State(served): State<Served>,
    Peer(client): Peer,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    open(served, client, &headers, None, OverviewEvents::read(query.as_deref())?)
}

pub(crate) async fn first_generation(
    State(served): State<Served>,
    Peer(client): Peer,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    open(served, client, &headers, Some(Policies::default()), OverviewEvents::None)
}

fn open(
    served: Served,
    client: Client,
    headers: &HeaderMap,
    policies: Option<Policies>,
    overview_events: OverviewEvents,
) -> Result<impl IntoResponse + use<>, Problem> {
    let place = served.services.streams.take(client).ok_or_else(|| {
        let detail = format!("{MAX_EVENT_STREAMS} streams are open already; try again later");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    })?;
    let closed = Arc::<Notify>::default();
    served.services.streams.close_by(place.key(), Arc::clone(&closed));
    let mut news = served.publisher.watch();
    // The first event is the version that is served now.
    news.mark_changed();
    let (told, waiting) = (None, VecDeque::new());
    let wants_overview = overview_events != OverviewEvents::None;
    let overview = wants_overview.then(|| super::overview::follow(&served));
    // It was judged before.
    let token = served.services.viewing.as_ref().and_then(|_| authorization::token(headers).ok());
    let stream = Stream {
        served,
        news,
        told,
        policies,
        overview,
        overview_events,
        waiting,
        client,
        token,
        closed,
        _place: place,
    };
    let pieces = unfold(stream, |mut stream| async {
        let piece = stream.next().await?;
        Some((Ok::<_, Infallible>(piece), stream))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, Body::from_stream(pieces)))
}

impl Stream {
    /// The next bytes; `None` at the end. A slow reader gets the newest version, not each one between.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(mut piece) = self.waiting.pop_front() {
                let rest = piece.split_off(piece.len().min(PIECE));
                if !rest.is_empty() {
                    self.waiting.push_front(rest);
                }
                return Some(piece);
            }
            let silence = sleep(self.silence());
            let (mut is_silent, mut is_overview) = (false, false);
            tokio::select! {
                () = self.served.shutdown.requested() => return None,
                () = self.closed.notified() => return None,
                changed = self.news.changed() => changed.ok()?,
                changed = next(self.overview.as_mut()) => {
                    changed.ok()?;
                    is_overview = true;
                }
                () = silence => is_silent = true,
            }
            if !self.is_allowed().await {
                return None;
            }
            if is_overview {
                self.tell_overview();
                continue;
            }
            self.look().await;
            if is_silent && self.waiting.is_empty() {
                self.waiting.push_back(Bytes::from_static(b":\n\n"));
            }
        }
    }

    /// True until the token that it was opened with is good no more.
    async fn is_allowed(&self) -> bool {
        let services = &self.served.services;
        match (&services.viewing, &self.token) {
            (Some(viewing), Some(token)) => {
                viewing.still_takes(services.writing.as_ref(), &services.halting, token, self.client).await
            }
            _ => true,
        }
    }

    /// The time until something is sent in any case.
    fn silence(&mut self) -> Duration {
        let until = self.policies.as_mut().and_then(|policies| policies.until.take());
        let left = until.map(|until| Duration::from_millis(until.millis_since(clock::now())));
        left.unwrap_or(HEARTBEAT).min(HEARTBEAT)
    }

    /// Queues the events for what is new.
    async fn look(&mut self) {
        let Ok(version) = Version::of(&self.served.publisher) else { return };
        // After the version, so that it is no older; were it newer, there is another event to come.
        let Publication::Serving(published) = self.served.publisher.publication() else { return };
        if self.policies.is_some() {
            self.served.services.unreported.polled();
        }
        if let Some(policies) = &mut self.policies
            && let Ok((_, listing)) = super::policies::listed(&self.served, self.client).await
        {
            policies.until = listing.until;
            let name = if policies.told.is_none() { "full_config" } else { "update" };
            if policies.told.as_ref() != Some(&listing.etag) {
                policies.told = Some(listing.etag.clone());
                push(&mut self.waiting, name, listing.array());
            }
        }
        if self.told.as_ref() != Some(&version) {
            let event = self.event(&version, &published);
            self.told = Some(version);
            // Texts and numbers can always be written.
            push(&mut self.waiting, "snapshot", serde_json::to_string(&event).unwrap_or_default().into());
        }
    }

    /// Queues the newest overview.
    fn tell_overview(&mut self) {
        let newest = self.overview.as_mut().and_then(|overview| overview.borrow_and_update().clone());
        if let Some(made) = newest {
            let data = match self.overview_events {
                OverviewEvents::Changed => Bytes::from_static(CHANGED),
                OverviewEvents::Full | OverviewEvents::None => made.json.clone(),
            };
            push(&mut self.waiting, "overview", data);
        }
    }

    fn event(&self, version: &Version, published: &Published) -> api::events::Event {
        let namespaces = self.served.services.namespaces();
        api::events::Event {
            digest: version.digest.to_string(),
            halted: published.is_halted(),
            revision: version.revision.to_string(),
            summary: counts(published, namespaces.as_deref()),
            withdrawn: published.holds.withdrawn.clone(),
        }
    }
}

/// Waits for the next overview; for ever if none is wanted.
async fn next(
    overview: Option<&mut watch::Receiver<Option<Arc<Made>>>>,
) -> Result<(), watch::error::RecvError> {
    match overview {
        Some(overview) => overview.changed().await,
        None => std::future::pending().await,
    }
}

/// Queues an event whose data is JSON, which has no line breaks.
fn push(waiting: &mut VecDeque<Bytes>, name: &'static str, data: Bytes) {
    let head = format!("event: {name}\ndata: ");
    waiting.extend([head.into(), data, Bytes::from_static(b"\n\n")]);
}

pub(crate) fn described() -> Operation {
    let overview = "`true`: also events named `overview`, each with the object of `GET /v1/overview` as its data: one now, \
                    and one when it changes, at most each second. `changed`: the same with `{}` as their data";
    let values = serde_json::json!({"type": "string", "enum": ["false", "true", "changed"]});
    Operation::new("Server-sent events: the snapshot that is served now, then every new one")
        .parameter(Parameter { schema: values, ..Parameter::query("overview", overview) })
        .answers(
            200,
            "A stream of events named `snapshot`, each with a JSON object as its data",
            Some(Content("text/event-stream", |schemas| schemas.subschema_for::<api::events::Event>())),
            &[],
        )
        .problems(&[400, 503])
}

pub(crate) fn first_generation_described() -> Operation {
    Operation::new("The same, with the events of the first generation")
        .answers(
            200,
            "Beside `snapshot`, an event `full_config` and then events `update`, each with the array of \
             `GET /v1/policies` as its data",
            Some(Content("text/event-stream", operation::first_generation_events)),
            &[],
        )
        .problems(&[503])
}
