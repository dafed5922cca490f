//! Any bytes as a policy file that is edited.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policies::testing::any_bytes::edit(bytes));
