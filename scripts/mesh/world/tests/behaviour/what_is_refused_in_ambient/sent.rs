//! What istiod sends, in parts that can be compared.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// The parts of what istiod sends, as text. Their order means nothing.
#[derive(Debug)]
pub(super) struct Sent(BTreeSet<String>);

impl Sent {
    /// What istiod has for ztunnel.
    pub(super) fn of_ztunnel(shown: &Value) -> Result<Self> {
        let mut sent = Self(BTreeSet::new());
        for list in ["workloads", "services", "policies"] {
            let items = shown.get(list).with_context(|| format!("no {list}"))?;
            sent.add(list, items);
        }
        ensure!(sent.0.len() > 3, "istiod has nothing for ztunnel: {shown}");
        Ok(sent)
    }

    /// Adds the items of a list.
    pub(super) fn add(&mut self, of: &str, list: &Value) {
        self.0.extend(list.as_array().into_iter().flatten().map(|item| format!("{of}: {item}")));
    }
}

/// The parts that only one of both has.
pub(super) fn differences(before: &Sent, after: &Sent) -> Vec<String> {
    let gone = before.0.difference(&after.0).map(|part| format!("gone: {part}"));
    gone.chain(after.0.difference(&before.0).map(|part| format!("new: {part}"))).collect()
}

/// The listeners, clusters, routes and filters in the dump of a proxy that came from istiod.
pub(super) fn waypoint(dump: &Value) -> Result<Value> {
    let mut parts = Vec::new();
    for config in dump.get("configs").and_then(Value::as_array).context("no configuration")? {
        for (list, content) in [
            ("dynamic_listeners", "/active_state/listener"),
            ("dynamic_active_clusters", "/cluster"),
            ("dynamic_route_configs", "/route_config"),
            ("ecds_filters", "/ecds_filter"),
        ] {
            let items = config.get(list).and_then(Value::as_array).into_iter().flatten();
            parts.extend(items.filter_map(|item| item.pointer(content).cloned()));
        }
    }
    ensure!(parts.len() > 5, "the waypoint has nothing: {dump}");
    Ok(json!(parts))
}
