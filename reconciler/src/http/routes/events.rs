//! `GET /v1/events`: server-sent events, one for every new snapshot.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream::unfold;
use tokio::sync::{Notify, watch};

use crate::http::{
    Services,
    limits::MAX_EVENT_STREAMS,
    operation::{Content, Operation},
    peer::Peer,
    problem::Problem,
    state::Served,
};
use crate::{
    api,
    clients::Place,
    serving::{
        published::Publication,
        publisher::Publisher,
        status::{Version, counts},
    },
    shutdown::Shutdown,
};

/// The longest silence of a stream: proxies close connections that are silent for long.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A stream, and the version of its last event.
struct Stream {
    publisher: Arc<Publisher>,
    services: Arc<Services>,
    news: watch::Receiver<Publication>,
    told: Option<Version>,
    shutdown: Shutdown,
    /// Another client needs the place.
    closed: Arc<Notify>,
    _place: Place<Arc<Notify>>,
}

pub(crate) async fn get(
    State(served): State<Served>,
    Peer(client): Peer,
) -> Result<impl IntoResponse, Problem> {
    let place = served.services.streams.take(client).ok_or_else(|| {
        let detail = format!("{MAX_EVENT_STREAMS} streams are open already; try again later");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    })?;
    let closed = Arc::<Notify>::default();
    served.services.streams.close_by(place.key(), Arc::clone(&closed));
    let mut news = served.publisher.watch();
    // The first event is the version that is served now.
    news.mark_changed();
    let Served { publisher, services, shutdown, .. } = served;
    let stream = Stream { publisher, services, news, told: None, shutdown, closed, _place: place };
    let events = unfold(stream, |mut stream| async {
        let event = stream.next().await?;
        Some((Ok::<_, Infallible>(event), stream))
    });
    let no_cache = [(header::CACHE_CONTROL, "no-cache")];
    Ok((no_cache, Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT))))
}

impl Stream {
    /// The next event; `None` at the end. A slow reader gets the newest version, not each one between.
    async fn next(&mut self) -> Option<Event> {
        loop {
            tokio::select! {
                () = self.shutdown.requested() => return None,
                () = self.closed.notified() => return None,
                changed = self.news.changed() => changed.ok()?,
            }
            let Ok(version) = Version::of(&self.publisher) else { continue };
            // After the version, so that it is no older; were it newer, there is another event to come.
            let Publication::Serving(published) = self.publisher.publication() else { continue };
            if self.told.as_ref() != Some(&version) {
                let namespaces = self.services.namespaces();
                let data = api::events::Event {
                    digest: version.digest.to_string(),
                    halted: published.holds.halted,
                    revision: version.revision.to_string(),
                    summary: counts(&published, namespaces.as_deref()),
                    withdrawn: published.holds.withdrawn.clone(),
                };
                self.told = Some(version);
                return Event::default().event("snapshot").json_data(data).ok();
            }
        }
    }
}

pub(crate) fn described() -> Operation {
    let content = Content("text/event-stream", |schemas| schemas.subschema_for::<api::events::Event>());
    Operation::new("Server-sent events: the snapshot that is served now, then every new one")
        .answers(
            200,
            "A stream of events named `snapshot`, each with a JSON object as its data",
            Some(content),
            &[],
        )
        .problems(&[503])
}
