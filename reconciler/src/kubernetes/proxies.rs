//! The proxies that should run the filter and do not, while this replica leads.
//!
//! Istio's agent fetches a module once. If that fails, the proxy runs a filter that allows everything, until Istio
//! sends the plugin again: when the plugin changes, be it an annotation, or when the agent connects anew.
//!
//! - `pods`: the pods with a proxy.
//! - `plugins`: the plugins that run the filter.
//! - `objects`: both, kept by watches.
//! - `first_seen`: how long each proxy has been seen.
//! - `judge`: the proxies that a plugin is for and that poll no replica.
//! - `healing`: the decision to have a plugin sent again, as a pure state machine.
//! - `watch`: does all of this.

mod first_seen;
mod healing;
mod judge;
mod objects;
mod plugins;
mod pods;
pub(crate) mod watch;

/// Whether this replica looks for proxies that should run the filter, and what it does about them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyMode {
    /// It does not look.
    #[default]
    Off,
    /// It tells of them.
    Watch,
    /// It also has their plugins sent again.
    Heal,
}
