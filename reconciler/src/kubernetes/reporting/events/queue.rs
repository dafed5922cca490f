//! Events that wait to be sent. Each has a fixed name, so that an Event that is sent twice exists once.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp as Moment,
};
use kube::{
    Api, Resource as _,
    api::{ObjectMeta, PostParams},
};
use tokio::time::Instant;
use tracing::debug;

use super::{budget::Budget, diff::Change};
use crate::kubernetes::{
    NAME,
    client::{
        call::{self, CallError, with_timeout},
        connection::Connection,
    },
    health::{ClusterTask, SharedHealth},
    reporting::{policy_source::PolicySource, truncate::truncate},
};

/// The limits of the API server, in bytes.
const LONGEST_NOTE: usize = 1_000;
const LONGEST_INSTANCE: usize = 128;
/// The most Events that wait; the oldest are dropped first.
const MOST: usize = 100;
/// The time after which an Event that this replica had no right to send is tried again.
pub(crate) const RETRY: Duration = Duration::from_secs(10);

pub(crate) struct EventQueue {
    api: Api<Event>,
    namespace: String,
    identity: String,
    health: Arc<SharedHealth>,
    budget: Budget,
    waiting: VecDeque<Event>,
    /// The time before which nothing is sent.
    not_before: Option<Instant>,
    /// The last Event was dropped, and so the duty fails until the next one, or the next look.
    has_dropped: bool,
}

impl EventQueue {
    pub(crate) fn new(connection: &Connection, health: Arc<SharedHealth>) -> Self {
        Self {
            api: Api::namespaced(connection.client.clone(), &connection.namespace),
            namespace: connection.namespace.clone(),
            identity: connection.identity.clone(),
            health,
            budget: Budget::new(Instant::now()),
            waiting: VecDeque::new(),
            not_before: None,
            has_dropped: false,
        }
    }

    /// Queues an Event about the object with this uid.
    pub(crate) fn push(&mut self, change: Change, uid: Option<String>) {
        if !self.budget.take(Instant::now()) {
            debug!(reason = change.reason, note = change.note, "too many Events: this one is dropped");
            return;
        }
        if self.waiting.len() >= MOST {
            self.waiting.pop_front();
        }
        let event = self.event(change, uid);
        self.waiting.push_back(event);
    }

    /// Drops all Events that wait.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        (self.not_before, self.has_dropped) = (None, false);
    }

    /// True if [`send`](Self::send) has something to do, now or in a while.
    pub(crate) fn waits(&self) -> bool {
        !self.waiting.is_empty() || self.has_dropped
    }

    /// Sends the Events that wait. One stays that gets no answer, or that this replica has no right to send: the
    /// right may come. One that is refused for what it says is dropped.
    pub(crate) async fn send(&mut self) -> Result<(), CallError> {
        if std::mem::take(&mut self.has_dropped) && self.waiting.is_empty() {
            self.health.record(ClusterTask::Events, Ok(()));
        }
        if self.not_before.is_some_and(|time| Instant::now() < time) {
            return Ok(());
        }
        self.not_before = None;
        while let Some(event) = self.waiting.front() {
            let sent = with_timeout(call::TIMEOUT, self.api.create(&PostParams::default(), event)).await;
            // On a conflict it had arrived before, and only its answer was lost.
            let sent = sent.map(drop).or_else(|error| if error.is(409) { Ok(()) } else { Err(error) });
            self.health.record(ClusterTask::Events, sent.as_ref().copied().map_err(ToString::to_string));
            match sent {
                Err(error) if [401, 403].into_iter().any(|code| error.is(code)) => {
                    self.not_before = Some(Instant::now() + RETRY);
                    return Ok(());
                }
                Err(error) if !error.is_refusal() => return Err(error),
                sent => self.has_dropped = sent.is_err(),
            }
            self.waiting.pop_front();
        }
        Ok(())
    }

    fn event(&self, Change { warning, reason, note }: Change, uid: Option<String>) -> Event {
        let now = Moment::now();
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{NAME}.{:x}", now.as_nanosecond())),
                namespace: Some(self.namespace.clone()),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(now)),
            type_: Some(if warning { "Warning" } else { "Normal" }.to_owned()),
            reason: Some(reason.to_owned()),
            action: Some("Reconcile".to_owned()),
            note: Some(truncate(&note, LONGEST_NOTE)),
            regarding: Some(ObjectReference {
                api_version: Some(PolicySource::api_version(&()).into()),
                kind: Some(PolicySource::kind(&()).into()),
                name: Some(NAME.to_owned()),
                namespace: Some(self.namespace.clone()),
                uid,
                ..ObjectReference::default()
            }),
            reporting_controller: Some("hfi.dev/hfi".to_owned()),
            reporting_instance: Some(truncate(&self.identity, LONGEST_INSTANCE)),
            ..Event::default()
        }
    }
}
