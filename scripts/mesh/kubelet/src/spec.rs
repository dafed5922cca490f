//! From the spec of a Pod to values that say what to do. Nothing in here touches the machine or the cluster.

pub(crate) mod check;
pub(crate) mod command_line;
pub(crate) mod environment;
mod expand;
pub(crate) mod facts;
mod field;
pub(crate) mod files;
pub(crate) mod hosts;
pub(crate) mod lifetime;
pub(crate) mod mounts;
pub(crate) mod objects;
mod quantity;
pub(crate) mod refusal;
mod resource;
mod service;
pub(crate) mod tokens;
pub(crate) mod unsupported;
pub(crate) mod user;
