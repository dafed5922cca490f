//! Tells people of what is frozen: by an Event, and to Flux's notification-controller.

use std::{collections::BTreeMap, time::Duration};

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
use tokio::time::Instant;
use tracing::warn;

use super::{
    announced::{API_VERSION, KIND, State},
    name,
};
use crate::{
    client::{self, ServerUrl, exchange},
    kubernetes::{
        client::call::{self, with_timeout},
        reporting::truncate::truncate,
    },
};

/// The time after which the same is told again.
const HOUR: Duration = Duration::from_secs(60 * 60);
/// The limits of the API server, in bytes.
const LONGEST_NOTE: usize = 1_000;
const LONGEST_INSTANCE: usize = 128;
const CONTROLLER: &str = "hfi.dev/hfi";

/// What was told of each namespace, and when.
pub(super) struct Notices {
    client: Client,
    identity: String,
    flux: Option<client::Client>,
    told: BTreeMap<String, Told>,
}

#[derive(Debug)]
struct Told {
    state: State,
    at: Instant,
}

/// The object that is told of.
pub(super) struct Subject<'a> {
    pub(super) namespace: &'a str,
    /// The namespace that it is in.
    pub(super) place: &'a str,
    pub(super) uid: Option<&'a str>,
    pub(super) revision: &'a str,
}

impl Notices {
    pub(super) fn new(client: Client, identity: String, events: Option<ServerUrl>) -> Self {
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
        Self { client, identity, flux, told: BTreeMap::new() }
    }

    /// Forgets what was told.
    pub(super) fn clear(&mut self) {
        self.told.clear();
    }

    /// Tells of a namespace that is frozen, or that no longer is. The same is told once an hour.
    pub(super) async fn tell(&mut self, subject: &Subject<'_>, state: &State) {
        let told = self.told.get(subject.namespace);
        let is_told = match told {
            Some(told) => told.state == *state && (state.is_ready || told.at.elapsed() < HOUR),
            // There is no news in that all is well.
            None => state.is_ready,
        };
        if is_told {
            return;
        }
        if state.is_ready {
            self.told.remove(subject.namespace);
        } else {
            let told = Told { state: state.clone(), at: Instant::now() };
            self.told.insert(subject.namespace.to_owned(), told);
            warn!(namespace = subject.namespace, "{}", state.message);
            self.send_event(subject, state).await;
        }
        self.tell_flux(subject, state).await;
    }

    /// Creates an Event. Its name has the hour, so that there is one in an hour, whoever leads.
    async fn send_event(&self, subject: &Subject<'_>, State { message, .. }: &State) {
        let now = Moment::now();
        let event = Event {
            metadata: ObjectMeta {
                name: Some(format!("{}.{:x}", name(subject.namespace), now.as_second() / 3_600)),
                namespace: Some(subject.place.to_owned()),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(now)),
            type_: Some("Warning".to_owned()),
            reason: Some("Frozen".to_owned()),
            action: Some("Reconcile".to_owned()),
            note: Some(truncate(message, LONGEST_NOTE)),
            regarding: Some(ObjectReference {
                api_version: Some(API_VERSION.to_owned()),
                kind: Some(KIND.to_owned()),
                name: Some(name(subject.namespace)),
                namespace: Some(subject.place.to_owned()),
                uid: subject.uid.map(str::to_owned),
                ..ObjectReference::default()
            }),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(truncate(&self.identity, LONGEST_INSTANCE)),
            ..Event::default()
        };
        let events = Api::<Event>::namespaced(self.client.clone(), subject.place);
        match with_timeout(call::TIMEOUT, events.create(&PostParams::default(), &event)).await {
            Ok(_) => {}
            // This hour has its Event.
            Err(error) if error.is(409) => {}
            Err(error) => warn!(namespace = subject.namespace, %error, "an Event cannot be created"),
        }
    }

    /// Sends an event as Flux's controllers do.
    async fn tell_flux(&self, subject: &Subject<'_>, State { is_ready, message }: &State) {
        let Some(flux) = &self.flux else { return };
        let (severity, reason) = if *is_ready { ("info", "Current") } else { ("error", "Frozen") };
        let event = json!({
            "involvedObject": {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "name": name(subject.namespace),
                "namespace": subject.place,
                "uid": subject.uid,
            },
            "severity": severity,
            "timestamp": Moment::from_second(Moment::now().as_second()).unwrap_or_default().to_string(),
            "message": message,
            "reason": reason,
            "reportingController": CONTROLLER,
            "reportingInstance": self.identity,
            "metadata": {"source.toolkit.fluxcd.io/revision": subject.revision},
        });
        if let Err(error) = flux.tell_flux(&event).await {
            warn!(namespace = subject.namespace, %error, "Flux's notification-controller was not told");
        }
    }
}
