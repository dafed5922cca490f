//! Any Services, Pods and Namespaces as the surroundings of Istio's resources.
#![no_main]

#[path = "../../istio/tests/any_services/mod.rs"]
mod any_services;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_services::holds(bytes));
