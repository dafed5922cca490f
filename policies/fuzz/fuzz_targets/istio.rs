//! Any bytes as a file of applications, or of resources of Istio.
#![no_main]

// The tests of that crate show it all of their cases.
#[path = "../../istio/tests/any_file/mod.rs"]
mod any_file;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_file::holds(bytes));
