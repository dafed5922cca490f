//! The filter and the control plane: one VM polls, all VMs of the proxy run what it gets.

pub mod answer;
mod keys;
pub mod plugins;
pub mod poller;
mod queues;
pub mod reporter;
pub mod shared;
pub mod shared_data;
pub mod totals;
mod value;
