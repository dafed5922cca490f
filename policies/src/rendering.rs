//! Shows policies in other forms than the one that they are written in.

pub mod first_generation;
pub mod json;
