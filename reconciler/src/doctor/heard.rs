//! What the replicas have heard of the filter of a pod.

use std::collections::BTreeSet;

use policies::Timestamp;

use super::{
    inventory::{Inventory, Plugin, Pod},
    selection::is_for,
};
use crate::{
    api::{
        filters::{Filter, FilterState},
        kubernetes::SilentProxy,
        time::Time,
    },
    fleet::gathered::{Heard, SETTLED, is_node_of},
};

/// A plugin that a proxy does not run, although it polls by another one.
pub(super) struct Unnamed<'i> {
    pub(super) plugin: &'i Plugin,
    pub(super) since: Option<Time>,
}

/// The filters of a pod, as replicas know them.
fn filters<'a>(pod: &'a Pod, inventory: &'a Inventory) -> impl Iterator<Item = &'a Filter> {
    let all = inventory.answers().flat_map(|answer| &answer.filters);
    all.filter(|filter| is_node_of(&filter.node, &pod.name.namespace, &pod.name.name, &pod.addresses))
}

/// The state of its filter, by the replica that has heard of it last.
pub(super) fn state(pod: &Pod, inventory: &Inventory) -> Option<FilterState> {
    let states: BTreeSet<_> = filters(pod, inventory).map(|filter| filter.state).collect();
    // A proxy has several filters, and moves between replicas: one that polls is enough.
    FilterState::ALL.into_iter().find(|state| states.contains(state))
}

/// The start of the last poll of its filter, or else the time since which the leader misses it, if known.
pub(super) fn silent_since(pod: &Pod, inventory: &Inventory) -> Option<Time> {
    let last = filters(pod, inventory).map(|filter| filter.last_contact).max();
    last.or_else(|| missed(pod, inventory).map(|silent| silent.since).min())
}

/// The first plugin that is for a pod and that its polls do not name, although it had the time to run.
pub(super) fn unnamed<'i>(pod: &Pod, inventory: &'i Inventory) -> Option<Unnamed<'i>> {
    let heard = filters(pod, inventory).map(Heard::of).reduce(Heard::merged)?;
    if !heard.polls || !inventory.has_heard_all() {
        return None;
    }
    let is_missing =
        |plugin: &&Plugin| is_for(plugin, pod, inventory) && !heard.may_run(&plugin.metadata.to_string());
    inventory.plugins.iter().filter(is_missing).find_map(|plugin| {
        let name = plugin.metadata.to_string();
        let since = missed(pod, inventory).filter_map(|silent| silent.since_by_plugin.get(&name)).min();
        let since = since.copied();
        (since.is_some() || had_time(plugin, pod, heard.contact)).then_some(Unnamed { plugin, since })
    })
}

/// True if the last poll began when the plugin had been long enough for the proxy to get it and to run it. A poll names
/// the plugins that ran when it began.
fn had_time(plugin: &Plugin, pod: &Pod, poll: Timestamp) -> bool {
    let Some(started) = pod.started else { return false };
    let has_got = pod.extensions.iter().flatten().filter(|extension| extension.plugin == plugin.metadata);
    let has_got = has_got.filter_map(|extension| Timestamp::parse(extension.since.as_ref()?).ok());
    let changed = plugin.changed.map(|Time(changed)| changed);
    let settled = has_got.chain(changed).fold(started, Timestamp::max);
    settled.plus_millis(SETTLED.as_millis() as u64) < poll
}

/// What leaders say of the pod, if they miss it.
fn missed<'a>(pod: &Pod, inventory: &'a Inventory) -> impl Iterator<Item = &'a SilentProxy> {
    let known = inventory.answers().filter_map(|answer| answer.status.kubernetes.as_ref()?.proxies.as_ref());
    let is_it = move |silent: &&SilentProxy| {
        (&silent.namespace, &silent.pod) == (&pod.name.namespace, &pod.name.name)
    };
    known.flat_map(|proxies| &proxies.silent).filter(is_it)
}
