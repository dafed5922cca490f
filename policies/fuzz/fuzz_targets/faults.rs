//! Any bytes as a report of faults.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policies::testing::any_bytes::faults(bytes));
