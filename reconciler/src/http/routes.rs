//! The handlers, a file for each resource.

pub(crate) mod events;
pub(crate) mod filters;
pub(crate) mod halt;
pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod hooks;
pub(crate) mod istio;
pub(crate) mod metrics;
pub(crate) mod modules;
pub(crate) mod openapi;
pub(crate) mod overview;
pub(crate) mod page;
pub(crate) mod peer;
pub(crate) mod policies;
pub(crate) mod ready;
pub(crate) mod snapshot;
pub(crate) mod status;
pub(crate) mod writes;
