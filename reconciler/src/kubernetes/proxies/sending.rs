//! Has plugins sent again whose proxies need it, and tells of it.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt as _, stream};
use kube::{Api, ResourceExt as _};
use tokio::time::Instant;
use tracing::warn;

use super::{
    healing::Healer,
    judge::Silent,
    need::{need, note},
    plugins::{self, OurPlugin},
};
use crate::{
    clock::now,
    doctor::inventory::Name,
    fleet::gathered::Gathered,
    kubernetes::{
        NAME,
        client::{
            call::{self, CallError, with_timeout},
            connection::Connection,
        },
        health::{ClusterTask, SharedHealth},
        reporting::{
            events::{diff::Change, queue::EventQueue},
            policy_source::PolicySource,
        },
    },
};

/// The most plugins that are sent at once. The API server may take seconds for each.
const AT_ONCE: usize = 10;

/// The memory of one term as leader.
pub(super) struct Sending {
    connection: Connection,
    health: Arc<SharedHealth>,
    events: EventQueue,
    healer: Healer,
    failures: Failures,
}

/// The plugins that could not be sent, and why.
#[derive(Debug, Default)]
struct Failures(BTreeMap<String, String>);

impl Sending {
    pub(super) fn new(connection: &Connection, health: &Arc<SharedHealth>) -> Self {
        Self {
            connection: connection.clone(),
            health: Arc::clone(health),
            events: EventQueue::new(connection, Arc::clone(health)),
            healer: Healer::default(),
            failures: Failures::default(),
        }
    }

    /// Has the plugins sent again whose proxies need it.
    pub(super) async fn step(&mut self, plugins: &[OurPlugin], silent: &[Silent], gathered: &Gathered) {
        let needs: Vec<_> = plugins.iter().map(|known| need(known, silent, gathered, now())).collect();
        let due = self.healer.step(Instant::now(), &needs, gathered.unknown_modules);
        let client = &self.connection.client;
        let sent = stream::iter(due).map(async |(plugin, count)| {
            let sent = plugins::send_again(client, &plugin, now(), count).await;
            (plugin, sent)
        });
        let sent: Vec<_> = sent.buffer_unordered(AT_ONCE).collect().await;
        let changes: Vec<_> =
            sent.into_iter().filter_map(|(plugin, result)| self.record(&plugin, result, silent)).collect();
        if !changes.is_empty() {
            let uid = self.uid().await;
            changes.into_iter().for_each(|change| self.events.push(change, uid.clone()));
        }
        self.failures.keep(|plugin| {
            let mut needs = needs.iter().filter(|need| !need.silent.is_empty());
            needs.any(|need| need.plugin.to_string() == plugin)
        });
        self.health.record(ClusterTask::Healing, self.failures.result());
        // What cannot be sent now is sent with the next one.
        let _ = self.events.send().await;
    }

    /// Records the result for a plugin; returns the Event if it was sent.
    fn record(&mut self, plugin: &Name, sent: Result<(), CallError>, silent: &[Silent]) -> Option<Change> {
        // Without an answer it may have been.
        if sent.as_ref().err().is_none_or(|error| !error.is_answer()) {
            self.healer.sent(plugin, Instant::now());
        }
        self.failures.note(plugin, sent.as_ref().err());
        sent.ok()?;
        let note = note(plugin, silent);
        warn!(%plugin, "{note}");
        Some(Change { warning: true, reason: "PluginSentAgain", note })
    }

    /// The uid of the object that Events are about.
    async fn uid(&self) -> Option<String> {
        let Connection { client, namespace, .. } = &self.connection;
        let sources = Api::<PolicySource>::namespaced(client.clone(), namespace);
        with_timeout(call::TIMEOUT, sources.get_metadata(NAME)).await.ok()?.uid()
    }
}

impl Failures {
    /// Records the result for a plugin. One that was deleted a moment ago need not be sent.
    fn note(&mut self, plugin: &Name, error: Option<&CallError>) {
        match error.filter(|error| !error.is(404)) {
            Some(error) => drop(self.0.insert(plugin.to_string(), error.to_string())),
            None => drop(self.0.remove(&plugin.to_string())),
        }
    }

    /// A failure lasts until the next time, or until no proxy needs one.
    fn keep(&mut self, is_needed: impl Fn(&str) -> bool) {
        self.0.retain(|plugin, _| is_needed(plugin));
    }

    /// An error with the first of them.
    fn result(&self) -> Result<(), String> {
        let Some((plugin, error)) = self.0.first_key_value() else { return Ok(()) };
        let more = match self.0.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Err(format!("WasmPlugin {plugin}{more} is not sent again: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{CallError, Failures, Name};

    #[test]
    fn a_failure_lasts_until_the_next_time_or_until_no_proxy_needs_one() {
        let name = |name: &str| Name { namespace: "demo".into(), name: name.into() };
        let late = CallError::Late(Duration::from_secs(5));
        let mut failures = Failures::default();
        failures.note(&name("in"), Some(&late));
        failures.note(&name("out"), Some(&late));
        let error = failures.result().unwrap_err();
        assert!(error.contains("demo/in and 1 more") && error.contains("no answer within 5 s"), "{error}");
        // It was sent all the same; the proxies of the other one still need it.
        failures.keep(|plugin| plugin == "demo/out");
        assert!(failures.result().unwrap_err().contains("demo/out is"));
        failures.note(&name("out"), None);
        assert_eq!(failures.result(), Ok(()));
    }
}
