//! Looks every few seconds, while this replica leads, for proxies that should run the filter and do not; tells of
//! them, and has their plugins sent again.

use std::{collections::HashMap, sync::Arc, time::Duration};

use kube::{Api, ResourceExt as _};
use policies::Timestamp;
use tokio::time::Instant;
use tracing::warn;

use super::{
    ProxyMode,
    first_seen::FirstSeen,
    healing::{Healer, Need},
    judge::{Silent, judge},
    objects::{Objects, Seen},
    plugins::{self, OurPlugin},
};
use crate::{
    api::kubernetes::{Proxies, SilentProxy},
    clock::now,
    doctor::inventory::Name,
    fleet::gathered::Gathered,
    kubernetes::{
        NAME,
        client::{
            call::{self, with_timeout},
            connection::Connection,
        },
        health::{ClusterTask, SharedHealth},
        replicas::PERIOD,
        reporting::{
            events::{diff::Change, queue::EventQueue},
            policy_source::PolicySource,
        },
    },
};

/// The most pods that an Event names.
const MOST_NAMED: usize = 5;

/// The task of the leader.
pub(crate) struct ProxyWatch {
    connection: Connection,
    health: Arc<SharedHealth>,
    mode: ProxyMode,
    root_namespace: String,
}

/// The memory of one term as leader.
struct Term {
    events: EventQueue,
    healer: Healer,
    first_seen: FirstSeen,
    /// The start of the silence of each silent pod, by its uid.
    since: HashMap<String, Timestamp>,
}

impl ProxyWatch {
    pub(crate) fn new(
        connection: &Connection,
        health: Arc<SharedHealth>,
        mode: ProxyMode,
        root_namespace: String,
    ) -> Self {
        Self { connection: connection.clone(), health, mode, root_namespace }
    }

    /// Runs for ever.
    pub(crate) async fn run(self) {
        let mut leadership = self.health.watch();
        // The sender outlives this task, except at the end of the process.
        while self.mode != ProxyMode::Off && leadership.wait_for(|health| health.leader).await.is_ok() {
            tokio::select! {
                biased;
                _ = leadership.wait_for(|health| !health.leader) => {}
                () = self.lead() => {}
            }
        }
    }

    /// Runs until this replica leads no more.
    async fn lead(&self) {
        let objects = Objects::default();
        let turns = async {
            let mut term = Term {
                events: EventQueue::new(&self.connection, Arc::clone(&self.health)),
                healer: Healer::default(),
                first_seen: FirstSeen::default(),
                since: HashMap::new(),
            };
            loop {
                tokio::time::sleep(PERIOD).await;
                let turn = self.turn(&objects, &mut term).await;
                if !matches!(turn, Ok(true)) {
                    self.health.set_proxies(None);
                }
                self.health.record(ClusterTask::Proxies, turn.map(drop));
            }
        };
        tokio::join!(objects.follow(&self.connection), turns);
    }

    /// False if it is not known yet which proxies should run the filter, or which of them poll.
    async fn turn(&self, objects: &Objects, term: &mut Term) -> Result<bool, String> {
        let (seen, gathered) = (objects.current(&self.root_namespace)?, self.health.current().gathered);
        let (Some(Seen { proxies, plugins, inventory }), Some(gathered)) = (seen, gathered) else {
            return Ok(false);
        };
        let proxies = term.first_seen.of(proxies, &term.since, Instant::now());
        let judging = {
            let gathered = Arc::clone(&gathered);
            move || judge(&proxies, &inventory, &gathered)
        };
        // Large meshes take a while.
        let judged = tokio::task::spawn_blocking(judging).await;
        let (covered, silent) = judged.map_err(|error| error.to_string())?;
        term.since = silent.iter().map(|silent| (silent.uid.clone(), silent.since)).collect();
        self.health.set_proxies(Some(Proxies { covered, silent: silent.iter().map(show).collect() }));
        if self.mode == ProxyMode::Heal {
            self.heal(&plugins, &silent, &gathered, term).await;
        }
        Ok(true)
    }

    /// Has the plugins sent again whose proxies need it.
    async fn heal(&self, plugins: &[OurPlugin], silent: &[Silent], gathered: &Gathered, term: &mut Term) {
        let need = |known: &OurPlugin| need(known, silent, gathered, now());
        let needs: Vec<_> = plugins.iter().map(need).collect();
        let due = term.healer.step(Instant::now(), &needs, gathered.unknown_modules);
        let mut failure = None;
        for plugin in &due {
            let sent = plugins::send_again(&self.connection.client, plugin, now()).await;
            // Without an answer it may have been.
            if sent.as_ref().err().is_none_or(|error| !error.is_answer()) {
                term.healer.sent(plugin, Instant::now());
            }
            match sent {
                Ok(()) => {}
                // It was deleted a moment ago.
                Err(error) if error.is(404) => continue,
                Err(error) => {
                    failure.get_or_insert_with(|| format!("WasmPlugin {plugin} is not sent again: {error}"));
                    continue;
                }
            }
            let note = note(plugin, silent);
            warn!(%plugin, "{note}");
            let change = Change { warning: true, reason: "PluginSentAgain", note };
            term.events.push(change, self.uid().await);
        }
        // A failure lasts until the next time, or until no proxy needs one.
        if !due.is_empty() || silent.is_empty() {
            self.health.record(ClusterTask::Healing, failure.map_or(Ok(()), Err));
        }
        // What cannot be sent now is sent with the next one.
        let _ = term.events.send().await;
    }

    /// The uid of the object that Events are about.
    async fn uid(&self) -> Option<String> {
        let Connection { client, namespace, .. } = &self.connection;
        let sources = Api::<PolicySource>::namespaced(client.clone(), namespace);
        with_timeout(call::TIMEOUT, sources.get_metadata(NAME)).await.ok()?.uid()
    }
}

fn show(silent: &Silent) -> SilentProxy {
    let Silent { uid: _, pod: Name { namespace, name }, plugins, since } = silent;
    SilentProxy {
        namespace: namespace.clone(),
        plugins: plugins.iter().map(ToString::to_string).collect(),
        pod: name.clone(),
        since: (*since).into(),
    }
}

fn need(known: &OurPlugin, silent: &[Silent], gathered: &Gathered, now: Timestamp) -> Need {
    let OurPlugin { plugin, sent } = known;
    let digest = plugin.spec.url.rsplit_once("/filter/").and_then(|(_, file)| file.strip_suffix(".wasm"));
    // Replicas hand it out in capitals too.
    let digest = digest.map(str::to_ascii_lowercase);
    let of_plugin = silent.iter().filter(|silent| silent.plugins.contains(&plugin.metadata));
    Need {
        plugin: plugin.metadata.clone(),
        // A time to come says nothing: the clock of the replica that wrote it was wrong.
        sent: sent.filter(|sent| *sent <= now).map(|sent| Duration::from_millis(now.millis_since(sent))),
        // Modules of a registry are always there.
        can_be_fetched: digest.is_none_or(|digest| gathered.modules.contains(&digest)),
        silent: of_plugin.map(|silent| silent.uid.clone()).collect(),
    }
}

fn note(plugin: &Name, silent: &[Silent]) -> String {
    let of_plugin = silent.iter().filter(|silent| silent.plugins.contains(plugin));
    let pods: Vec<_> =
        of_plugin.map(|silent| format!("{} since {}", silent.pod, silent.since.to_rfc3339())).collect();
    let named = pods.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = match pods.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "WasmPlugin {plugin} is sent again, since proxies that should run it poll no replica: Pod {named}{more}"
    )
}

#[cfg(test)]
mod tests {
    use policies::Timestamp;

    use serde_json::json;

    use super::{Gathered, Name, OurPlugin, Silent, need, note};

    #[test]
    fn a_module_can_be_fetched_if_every_replica_has_it_or_it_is_in_a_registry() {
        let gathered = |digest: &str| {
            let answer =
                json!({"filters": [], "since": "1970-01-01T00:00:00Z", "modules": {"digests": [digest]}});
            Gathered::of(&[serde_json::from_value(answer).unwrap()]).unwrap()
        };
        for (url, digest, is_there) in [
            ("http://hfi-control-plane.boifi:8080/filter/1e5d.wasm", "1e5d", true),
            ("http://hfi-control-plane.boifi:8080/filter/1E5D.wasm", "1e5d", true),
            ("http://hfi-control-plane.boifi:8080/filter/1e5d.wasm", "aaaa", false),
            ("http://hfi-control-plane.boifi:8080/filter.wasm", "aaaa", true),
            ("oci://registry.example/hfi", "aaaa", true),
        ] {
            let plugin = json!({"metadata": {"namespace": "demo", "name": "hfi"}, "spec": {"url": url}});
            let plugin = OurPlugin { plugin: serde_json::from_value(plugin).unwrap(), sent: None };
            let need = need(&plugin, &[], &gathered(digest), Timestamp::from_millis(0));
            assert_eq!(need.can_be_fetched, is_there, "{url} {digest}");
        }
    }

    #[test]
    fn an_event_names_the_first_pods() {
        let plugin = Name { namespace: "demo".into(), name: "hfi".into() };
        let silent = |number: u8| Silent {
            uid: String::new(),
            pod: Name { namespace: "demo".into(), name: format!("cart-{number}") },
            plugins: vec![plugin.clone()],
            since: Timestamp::from_millis(0),
        };
        let note = note(&plugin, &(0..8).map(silent).collect::<Vec<_>>());
        assert!(
            note.contains("demo/cart-4 since 1970-01-01T00:00:00Z and 3 more") && !note.contains("cart-5"),
            "{note}"
        );
    }
}
