//! Tells people of what is frozen: by an Event, and to Flux's notification-controller.
//!
//! This takes as long as it takes, and what fails is tried again: nothing else waits for it.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt as _, stream};
use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp as Moment,
};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use serde_json::json;
use tokio::{sync::watch, time::Instant};
use tracing::warn;

use super::{
    announced::{API_VERSION, KIND, LONGEST_MESSAGE},
    name,
    state::State,
    told::{Due, Told},
};
use crate::{
    client::{self, ServerUrl, exchange},
    istio::plan::Namespaces,
    kubernetes::{
        client::call::{self, Backoff, with_timeout},
        reporting::truncate::truncate,
    },
};

/// The time between two looks at what was told long ago.
const PERIOD: Duration = Duration::from_secs(60);
/// The namespaces that are told of at once.
const AT_ONCE: usize = 8;
/// The limits of the API server, in bytes.
const LONGEST_NOTE: usize = 1_000;
const LONGEST_INSTANCE: usize = 128;
const CONTROLLER: &str = "hfi.dev/hfi";

/// The state of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    /// The namespace that the artifact is in.
    pub(super) place: String,
    pub(super) uid: Option<String>,
    /// The newest revision.
    pub(super) revision: String,
    pub(super) state: State,
}

/// Tells of the newest notices.
pub(in crate::kubernetes) struct Teller {
    client: Client,
    identity: String,
    flux: Option<client::Client>,
    told: BTreeMap<String, Told>,
    newest: watch::Receiver<Namespaces<Notice>>,
}

impl Teller {
    pub(super) fn new(
        client: Client,
        identity: String,
        events: Option<ServerUrl>,
        newest: watch::Receiver<Namespaces<Notice>>,
    ) -> Self {
        let settings = |server| exchange::Settings {
            server,
            token: None,
            ca_file: None,
            insecure_token: false,
            way: None,
            replica: None,
            longest: 64 * 1024,
        };
        let flux = events.map(|server| client::Client::new(settings(server))).transpose();
        let flux = flux.unwrap_or_else(|error| {
            warn!(%error, "Flux's notification-controller cannot be told of anything");
            None
        });
        Self { client, identity, flux, told: BTreeMap::new(), newest }
    }

    /// Tells of each namespace that is frozen, or that no longer is. Runs until nobody gives notice any more.
    pub(in crate::kubernetes) async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            let newest = self.newest.borrow_and_update().clone();
            let pause = if self.tell(&newest).await {
                backoff.reset();
                PERIOD
            } else {
                backoff.next()
            };
            tokio::select! {
                changed = self.newest.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Tells what is due. False if some of it has to be told again.
    async fn tell(&mut self, notices: &Namespaces<Notice>) -> bool {
        // Another replica tells of those that are missing, if any does.
        self.told.retain(|namespace, _| notices.contains_key(namespace));
        let mut due = Vec::new();
        for (namespace, notice) in notices {
            let told = Told::due(&mut self.told, namespace, &notice.state.frozen, Instant::now());
            due.extend(told.map(|due| (namespace, notice, due)));
        }
        let tell = async |(namespace, notice, due): (&String, &Notice, Due)| {
            let event = !due.event || self.send_event(namespace, notice).await;
            let flux = !due.flux || self.tell_flux(namespace, notice).await;
            (namespace.clone(), notice.state.is_ready(), Due { event, flux })
        };
        let told: Vec<_> = stream::iter(due).map(tell).buffer_unordered(AT_ONCE).collect().await;
        let is_done = told.iter().all(|(_, _, knows)| knows.event && knows.flux);
        for (namespace, is_well, knows) in told {
            Told::record(&mut self.told, &namespace, is_well, knows);
        }
        is_done
    }

    /// Creates an Event. Its name has the hour, so that there is one in an hour, whoever leads.
    async fn send_event(&self, namespace: &str, Notice { place, uid, state, .. }: &Notice) -> bool {
        warn!(namespace, "{}", state.message);
        let now = Moment::now();
        let event = Event {
            metadata: ObjectMeta {
                name: Some(format!("{}.{:x}", name(namespace), now.as_second() / 3_600)),
                namespace: Some(place.clone()),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(now)),
            type_: Some("Warning".to_owned()),
            reason: Some("Frozen".to_owned()),
            action: Some("Reconcile".to_owned()),
            note: Some(truncate(&state.message, LONGEST_NOTE)),
            regarding: Some(ObjectReference {
                api_version: Some(API_VERSION.to_owned()),
                kind: Some(KIND.to_owned()),
                name: Some(name(namespace)),
                namespace: Some(place.clone()),
                uid: uid.clone(),
                ..ObjectReference::default()
            }),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(truncate(&self.identity, LONGEST_INSTANCE)),
            ..Event::default()
        };
        let events = Api::<Event>::namespaced(self.client.clone(), place);
        match with_timeout(call::TIMEOUT, events.create(&PostParams::default(), &event)).await {
            Ok(_) => true,
            // This hour has its Event.
            Err(error) if error.is(409) => true,
            Err(error) => {
                warn!(namespace, %error, "an Event cannot be created");
                error.is_refusal()
            }
        }
    }

    /// Sends an event as Flux's controllers do.
    async fn tell_flux(&self, namespace: &str, Notice { place, uid, revision, state }: &Notice) -> bool {
        let Some(flux) = &self.flux else { return true };
        let (severity, reason) = if state.is_ready() { ("info", "Current") } else { ("error", "Frozen") };
        let event = json!({
            "involvedObject": {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "name": name(namespace),
                "namespace": place,
                "uid": uid,
            },
            "severity": severity,
            "timestamp": Moment::from_second(Moment::now().as_second()).unwrap_or_default().to_string(),
            "message": truncate(&state.message, LONGEST_MESSAGE),
            "reason": reason,
            "reportingController": CONTROLLER,
            "reportingInstance": self.identity,
            "metadata": {"source.toolkit.fluxcd.io/revision": revision},
        });
        let told = flux.tell_flux(&event).await;
        if let Err(error) = &told {
            warn!(namespace, %error, "Flux's notification-controller was not told; it is told again");
        }
        told.is_ok()
    }
}
