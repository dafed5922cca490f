//! This machine: its commands, the number of a world, and the network namespace of its node.

mod command;
mod node;
mod slot;

pub(crate) use command::wait_for;
pub(crate) use node::Node;
