//! The filter and the control plane: one VM polls, all VMs of the proxy run what it learns.

pub mod poller;
pub mod shared;
