//! Decides when a plugin is sent again: only while a proxy that it is for runs without it, seldom, and not for ever.
//!
//! - `tries`: how often one plugin was sent, and for which proxies.

#[cfg(test)]
mod tests;
mod tries;

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

pub(super) use self::tries::MOST;
use self::tries::Tries;
use crate::doctor::inventory::Name;

/// A plugin, and the proxies that it is for and that do not run it.
#[derive(Clone, Debug)]
pub(super) struct Need {
    pub(super) plugin: Name,
    /// The last time that it was sent, by this replica or another one, if it was.
    pub(super) sent: Option<LastSent>,
    /// Every replica hands out its module.
    pub(super) can_be_fetched: bool,
    pub(super) silent: Vec<SilentPod>,
}

/// A time that a plugin was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastSent {
    pub(super) ago: Duration,
    /// How often in a row, with this time.
    pub(super) count: u32,
}

/// A pod whose proxy does not run a plugin.
#[derive(Clone, Debug)]
pub(super) struct SilentPod {
    pub(super) uid: String,
    /// The most times that the plugin was sent for this loss before, whoever led; it says itself how often it was sent.
    pub(super) tried: u32,
    /// Nothing is sent for one that is not ready, and nothing is forgotten of it: it may come and go for ever.
    pub(super) is_ready: bool,
}

/// The state of the leader.
#[derive(Debug, Default)]
pub(super) struct Healer {
    plugins: HashMap<Name, Tries>,
    unknown_modules: u64,
}

impl Healer {
    /// The plugins to be sent now, each with the number of times in a row; [`sent`](Self::sent) is told of each that was.
    /// `unknown_modules` counts the requests for modules that nobody had: proxies may have lost their filter since.
    pub(super) fn step(&mut self, now: Instant, needs: &[Need], unknown_modules: u64) -> Vec<(Name, u32)> {
        let is_new = unknown_modules > self.unknown_modules;
        self.unknown_modules = unknown_modules;
        self.plugins.retain(|plugin, _| needs.iter().any(|need| need.plugin == *plugin));
        let due = needs.iter().filter_map(|need| {
            let known = self.plugins.entry(need.plugin.clone());
            let tries = known.or_insert_with(|| Tries::continued(need, now));
            tries.keep(&need.silent, is_new);
            tries.is_due(need, now).then(|| (need.plugin.clone(), tries.begin(now)))
        });
        due.collect()
    }

    /// Counts that a plugin was sent. What the API server refused counts for nothing but the pause after it.
    pub(super) fn sent(&mut self, plugin: &Name, now: Instant) {
        if let Some(tries) = self.plugins.get_mut(plugin) {
            tries.count(now);
        }
    }
}
