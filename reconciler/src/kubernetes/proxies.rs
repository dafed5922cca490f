//! The proxies that should run the filter and do not, while this replica leads.
//!
//! Istio's agent fetches a module once. If that fails, the proxy runs a filter that allows everything, until Istio
//! sends the plugin again: when the plugin changes, be it an annotation, or when the agent connects anew.
//!
//! - `pods`: the pods with a proxy.
//! - `plugins`: the plugins that run the filter.
//! - `listening`: what gives listeners to proxies.
//! - `objects`: all of these, kept by watches.
//! - `coverage`: how long each plugin has been for each proxy, and since when it does not run there.
//! - `judge`: the proxies that a plugin is for and that do not run it.
//! - `ended`: the pods whose proxy has ended.
//! - `healing`: the decision to have a plugin sent again, as a pure state machine.
//! - `need`: what it needs to know.
//! - `sending`: has plugins sent again, and tells of it.
//! - `watch`: does all of this.

mod coverage;
mod ended;
mod healing;
mod judge;
mod listening;
mod need;
mod objects;
mod plugins;
mod pods;
mod sending;
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
