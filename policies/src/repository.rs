//! A repository of policies: its files together, what of them is in force when and for which workload.

mod active_set;
mod catalog;
mod field_places;
mod file;
mod file_regexes;
mod halts;
mod inert_metadata;
pub mod lint;
pub mod misdated;
mod regex_cost;
mod start;
mod window;

pub use active_set::{ActiveSet, Changes};
pub use catalog::{Catalog, LocatedPolicy, Sources};
pub(crate) use field_places::FieldPlaces;
pub use file::{File, ParsedPolicy};
pub use halts::LocatedHalt;
pub use inert_metadata::InertMetadata;
pub use regex_cost::{RegexCost, RegexExcess};
pub use start::Start;
pub use window::State;
