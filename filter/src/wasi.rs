//! The two calls of `wasi_snapshot_preview1` that every Proxy-Wasm host answers and that neither the
//! SDK nor `std` offers on this target. The one file with `unsafe` in it.
#![expect(unsafe_code, reason = "imports of the host can only be declared and called so")]

use std::time::Duration;

use crate::clock::Instant;

const SUCCESS: i32 = 0;
const CLOCK_MONOTONIC: i32 = 1;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(buffer: *mut u8, length: usize) -> i32;
    fn clock_time_get(clock: i32, precision: u64, nanoseconds: *mut u64) -> i32;
}

/// Fresh entropy, unless the host has none.
pub(crate) fn entropy() -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    // SAFETY: the host writes `length` bytes to `buffer`, and that many are there.
    let status = unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) };
    (status == SUCCESS).then_some(bytes)
}

/// The monotonic clock; its origin, which never comes, where the host has none.
pub(crate) fn now() -> Instant {
    let mut nanoseconds = 0;
    // SAFETY: the host writes one u64 to `nanoseconds`, which is there.
    let status = unsafe { clock_time_get(CLOCK_MONOTONIC, 0, &mut nanoseconds) };
    debug_assert_eq!(status, SUCCESS, "Envoy answers for this clock");
    Instant::from_origin(Duration::from_nanos(nanoseconds))
}
