//! Plugins of hfi that run in this proxy, for the VM that polls.
//!
//! Every root of every worker thread enters its plugin in a list in the shared data, about once a second.
//! The host does not report the end of a root: its entry gets old, and the others remove it. The list is one
//! for all plugins, whatever their configuration and their build.

use std::time::Duration;

use policies::wire::{PluginName, PluginNames};
use serde::{Deserialize, Serialize};

use super::{
    shared_data::SharedData,
    value::{decode, encode},
};
use crate::clock::Instant;

/// Key of the list. The number is the version of its encoding.
const KEY: &str = "hfi.plugins.1";
/// Time between two looks of a root at the list, and the age at which an entry is renewed.
const PERIOD: Duration = Duration::from_secs(1);
/// Looks of a root at an entry that nobody renews, after which the plugin is gone. They are looks, since a
/// proxy that was stopped for a while has lost none.
const MISSED: u32 = 5;
/// The most entries. Longer lists are not told to the server in any case.
const MOST: usize = 32;

/// List of one root.
#[derive(Debug)]
pub struct Plugins {
    own: String,
    next_look: Instant,
    /// Number of looks so far, [`MISSED`] at most.
    looks: u32,
    seen: Vec<Seen>,
}

/// Entry of one plugin in the shared data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// Empty for a plugin whose name is not that of a `WasmPlugin`.
    name: String,
    renewed: Instant,
}

/// Entry as this root has seen it.
#[derive(Debug)]
struct Seen {
    entry: Entry,
    /// Number of looks since it was renewed.
    missed: u32,
}

impl Plugins {
    /// List of a root of this plugin. Nothing is entered yet: this may be the VM in which the host only
    /// validates the configuration.
    pub fn new(own: Option<&PluginName>, data: &impl SharedData, now: Instant) -> Self {
        // Versions are compared only where there is a value.
        if data.get(KEY).is_none() {
            write(data, &[], None);
        }
        let own = own.map_or("", PluginName::as_str).to_owned();
        Self { own, next_look: now, looks: 0, seen: Vec::new() }
    }

    /// Looks at the list if it is time, enters this plugin, and removes those that are gone.
    pub fn refresh(&mut self, data: &impl SharedData, now: Instant) {
        if now < self.next_look {
            return;
        }
        let (entries, version) = read(data);
        let seen: Vec<_> = entries.into_iter().map(|entry| self.see(entry)).collect();
        let is_own = |seen: &&Seen| seen.entry.name == self.own;
        let is_fresh = seen.iter().find(is_own).is_some_and(|own| now.since(own.entry.renewed) < PERIOD);
        if !is_fresh || seen.iter().any(Seen::is_gone) {
            let others = seen.iter().filter(|seen| !is_own(seen) && !seen.is_gone());
            let own = Entry { name: self.own.clone(), renewed: now };
            let entries: Vec<_> = others.map(|seen| seen.entry.clone()).take(MOST - 1).chain([own]).collect();
            if !write(data, &entries, version) {
                // Another root was faster. The next tick tries again.
                return;
            }
        }
        (self.seen, self.next_look) = (seen, now + PERIOD);
        self.looks = (self.looks + 1).min(MISSED);
    }

    /// Names of the plugins that run; `None` if one of them has no name, or if there are too many. `None` also
    /// for the first seconds of this root: others that start with it may not be in the list yet.
    pub fn names(&self) -> Option<PluginNames> {
        if self.looks < MISSED {
            return None;
        }
        let others = self.seen.iter().filter(|seen| !seen.is_gone()).map(|seen| &*seen.entry.name);
        let all = others.chain([&*self.own]).map(PluginName::parse);
        PluginNames::new(all.collect::<Option<Vec<_>>>()?)
    }

    fn see(&self, entry: Entry) -> Seen {
        let before = self.seen.iter().find(|seen| seen.entry == entry);
        Seen { entry, missed: before.map_or(0, |seen| seen.missed + 1) }
    }
}

impl Seen {
    fn is_gone(&self) -> bool {
        self.missed >= MISSED
    }
}

/// Entries, and the version of the list, if there is one.
fn read(data: &impl SharedData) -> (Vec<Entry>, Option<u32>) {
    match data.get(KEY) {
        Some((value, version)) => (decode(&value), Some(version)),
        None => (Vec::new(), None),
    }
}

fn write(data: &impl SharedData, entries: &[Entry], version: Option<u32>) -> bool {
    encode(&entries).is_some_and(|value| data.set(KEY, &value, version))
}
