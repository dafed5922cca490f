//! How long each plugin has been for each proxy, and since when it does not run there.

use std::{collections::HashMap, sync::Arc};

use policies::Timestamp;
use tokio::time::Instant;

use super::pods::Proxy;
use crate::{
    doctor::inventory::Name,
    fleet::gathered::{Gathered, SETTLED},
};

/// The memory of one term as leader, by the uid of the pod.
#[derive(Debug, Default)]
pub(super) struct Coverage(HashMap<String, Covered>);

#[derive(Debug)]
struct Covered {
    /// A proxy that started again is a new one.
    started: Timestamp,
    plugins: Vec<Pair>,
}

/// A plugin and a proxy that it is for.
#[derive(Clone, Debug)]
struct Pair {
    plugin: Name,
    /// When that was first seen. Clocks of others may be wrong.
    first: Instant,
    /// The last poll of the proxy at the time when the plugin should have run.
    settled: Option<Timestamp>,
    /// The time since which the plugin does not run, if that was so at the last look.
    missing: Option<Timestamp>,
    /// It ran, or may have, at some look.
    has_run: bool,
}

/// A plugin that should run in a proxy and does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) plugin: Name,
    pub(super) since: Timestamp,
    /// This term has seen that it ran there before.
    pub(super) has_run: bool,
}

impl Coverage {
    /// Looks at all proxies and the plugins that are for each, and forgets the others. Returns each proxy that lacks some
    /// of them.
    pub(super) fn look(
        &mut self,
        proxies: Vec<(Arc<Proxy>, Vec<Name>)>,
        gathered: &Gathered,
        now: Instant,
    ) -> Vec<(Arc<Proxy>, Vec<Missing>)> {
        let mut before = std::mem::take(&mut self.0);
        let mut lacking = Vec::new();
        for (proxy, plugins) in proxies {
            let known = before.remove(&proxy.uid).filter(|known| known.started == proxy.started);
            let known = known.map(|known| known.plugins).unwrap_or_default();
            let pair = |plugin: Name| {
                let known = known.iter().find(|known| known.plugin == plugin).cloned();
                let mut pair = known.unwrap_or(Pair::new(plugin, now));
                pair.missing = pair.look(&proxy, gathered, now);
                pair
            };
            let plugins: Vec<_> = plugins.into_iter().map(pair).collect();
            let missing: Vec<_> = plugins.iter().filter_map(Pair::missing).collect();
            let covered = Covered { started: proxy.started, plugins };
            self.0.insert(proxy.uid.clone(), covered);
            if !missing.is_empty() {
                lacking.push((proxy, missing));
            }
        }
        lacking
    }
}

impl Pair {
    fn new(plugin: Name, now: Instant) -> Self {
        Self { plugin, first: now, settled: None, missing: None, has_run: false }
    }

    /// The time since which the plugin does not run. `None` while it does, and as long as it may still be on its way: a
    /// proxy needs time to get it and to find one of these replicas. One that polled none of the former replicas had that
    /// time. A proxy that is not ready needs something else, and lacks what it lacked before.
    fn look(&mut self, proxy: &Proxy, gathered: &Gathered, now: Instant) -> Option<Timestamp> {
        let Name { namespace, name } = &proxy.pod.name;
        let heard = gathered.proxy(namespace, name, &proxy.pod.addresses);
        let age = now.saturating_duration_since(self.first);
        let contact = heard.as_ref().map(|heard| heard.contact);
        if age >= SETTLED && self.settled.is_none() {
            self.settled = Some(contact.unwrap_or(Timestamp::from_millis(0)));
        }
        if heard.as_ref().is_some_and(|heard| heard.may_run(&self.plugin.to_string())) {
            self.has_run = true;
            return None;
        }
        // A poll names the plugins that ran when it began, and may be held for minutes.
        let is_told = match heard {
            Some(heard) if heard.polls => self.settled.is_some_and(|settled| heard.contact > settled),
            _ => age >= SETTLED,
        };
        let is_known = gathered.listening >= SETTLED || self.missing.is_some();
        // A pod of a StatefulSet comes back with the same name.
        let contact = contact.filter(|contact| *contact > proxy.started);
        let since = self.missing.or(contact).unwrap_or_else(|| proxy.started.max(gathered.since));
        let is_judged = proxy.is_ready || self.missing.is_some();
        (is_judged && is_told && is_known).then_some(since)
    }

    fn missing(&self) -> Option<Missing> {
        Some(Missing { plugin: self.plugin.clone(), since: self.missing?, has_run: self.has_run })
    }
}
