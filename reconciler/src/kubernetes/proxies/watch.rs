//! Looks every few seconds, while this replica leads, for proxies that should run the filter and do not; tells of
//! them, and has their plugins sent again.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    ProxyMode,
    coverage::Coverage,
    ended::Ended,
    judge::{Silent, judge},
    objects::{Objects, Seen},
    sending::Sending,
};
use crate::{
    api::kubernetes::{Proxies, SilentProxy},
    clock::now,
    doctor::inventory::Name,
    kubernetes::{
        client::connection::Connection,
        health::{ClusterTask, SharedHealth},
        replicas::PERIOD,
    },
};

/// The task of the leader.
pub(crate) struct ProxyWatch {
    connection: Connection,
    health: Arc<SharedHealth>,
    mode: ProxyMode,
    root_namespace: String,
}

/// The memory of one term as leader.
struct Term {
    coverage: Coverage,
    ended: Ended,
    sending: Sending,
}

/// The result of a look.
enum Look {
    /// It is not known yet which proxies should run the filter, or which of them poll.
    TooEarly,
    /// All proxies were looked at, those of plugins that cannot be read excepted.
    Done(Result<(), String>),
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
        let looks = async {
            let sending = Sending::new(&self.connection, &self.health);
            let mut term = Term { coverage: Coverage::default(), ended: Ended::default(), sending };
            loop {
                tokio::time::sleep(PERIOD).await;
                let look = self.look(&objects, &mut term).await;
                if !matches!(look, Ok(Look::Done(_))) {
                    self.health.keep_proxies(now());
                }
                let result = look.and_then(|look| match look {
                    Look::TooEarly => Ok(()),
                    Look::Done(result) => result,
                });
                self.health.record(ClusterTask::Proxies, result);
            }
        };
        tokio::join!(objects.follow(&self.connection), looks);
    }

    async fn look(&self, objects: &Objects, term: &mut Term) -> Result<Look, String> {
        let (seen, gathered) = (objects.current(&self.root_namespace)?, self.health.current().gathered);
        let Some(Seen { pods, proxies, plugins, unreadable, inventory }) = seen else {
            return Ok(Look::TooEarly);
        };
        term.ended.look(&pods, now());
        self.health.set_ended(term.ended.all());
        let Some(gathered) = gathered else { return Ok(Look::TooEarly) };
        let judging = {
            let (gathered, mut coverage) = (Arc::clone(&gathered), std::mem::take(&mut term.coverage));
            move || (judge(&proxies, &inventory, &gathered, &mut coverage, Instant::now()), coverage)
        };
        // Large meshes take a while.
        let judged = tokio::task::spawn_blocking(judging).await;
        let ((covered, silent), coverage) = judged.map_err(|error| error.to_string())?;
        term.coverage = coverage;
        self.health.set_proxies(Some(Proxies {
            covered,
            silent: silent.iter().filter(|silent| silent.is_ready).map(show).collect(),
            stale_since: None,
        }));
        if self.mode == ProxyMode::Heal {
            term.sending.step(&plugins, &silent, &gathered).await;
        }
        Ok(Look::Done(unreadable))
    }
}

fn show(silent: &Silent) -> SilentProxy {
    let Silent { pod: Name { namespace, name }, missing, .. } = silent;
    let since = missing.iter().map(|missing| missing.since).min();
    SilentProxy {
        namespace: namespace.clone(),
        plugins: missing.iter().map(|missing| missing.plugin.to_string()).collect(),
        pod: name.clone(),
        // There is one at least.
        since: since.unwrap_or_else(now).into(),
        since_by_plugin: missing.iter().map(|lost| (lost.plugin.to_string(), lost.since.into())).collect(),
    }
}
