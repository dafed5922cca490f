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
mod table;

#[cfg(feature = "authoring")]
pub(crate) use class_map::FIRST_WIDE;
pub(crate) use class_map::{ClassMap, WideMap};
#[cfg(feature = "authoring")]
pub use compile::TooComplex;
#[cfg(feature = "authoring")]
pub(crate) use compile::{MAX_COST, compile};
pub(crate) use table::{Automaton, MATCH, REJECT};
