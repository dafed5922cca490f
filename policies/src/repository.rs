//! A repository of policies: its files together, what of them is in force when and for which workload.

mod catalog;
mod file;
mod in_force;
pub mod lint;
mod window;

pub use catalog::{Catalog, Placed, Sources};
pub use file::{Declared, File};
pub use in_force::{Changes, InForce};
pub use window::State;
