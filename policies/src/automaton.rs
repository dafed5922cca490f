//! Regexes as automata: compiled where policies are read, and only run where requests are.
//!
//! An [`Automaton`] reads a value once, a character at a time, and says if its regex fits something in it.
//! The time grows with the length of the value and with nothing else. [`compile`] makes one of a regex, and
//! refuses a regex whose automaton would be too large.

mod class_map;
#[cfg(feature = "authoring")]
mod compile;
#[cfg(feature = "authoring")]
mod reach;
mod rows;
mod table;
mod wide_map;

pub(crate) use class_map::ClassMap;
#[cfg(feature = "authoring")]
pub use compile::TooComplex;
#[cfg(feature = "authoring")]
pub(crate) use compile::{MAX_COST, compile};
#[cfg(feature = "authoring")]
pub(crate) use rows::MAX_CELLS;
pub(crate) use rows::{MATCH, REJECT, Rows};
pub(crate) use table::Automaton;
#[cfg(feature = "authoring")]
pub(crate) use wide_map::FIRST_WIDE;
pub(crate) use wide_map::WideMap;
