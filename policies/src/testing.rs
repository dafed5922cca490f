//! Support for tests of several crates: the conformance table, and what holds for any bytes.
//!
//! Behind the feature `testing`, which only tests and fuzz targets switch on.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

pub mod any_bytes;
pub mod cases;
pub mod directory;
pub mod native;
