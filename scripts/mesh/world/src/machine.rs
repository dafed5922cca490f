//! This machine: its commands, the number of a world, the network namespace of its node, and those of Pods.

mod command;
mod garbage;
mod namespace;
mod node;
mod slot;

pub(crate) use command::wait_for;
pub(crate) use garbage::GARBAGE;
pub(crate) use namespace::inside;
pub(crate) use node::Node;
