//! Shows policies in other forms than the one that they are written in.

pub mod json;
