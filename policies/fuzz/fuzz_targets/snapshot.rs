//! Any bytes as a snapshot.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policies::testing::any_bytes::snapshot(bytes));
