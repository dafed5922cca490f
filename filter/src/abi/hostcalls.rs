//! Calls into the host that the SDK and `std` lack on this target: two of `wasi_snapshot_preview1`,
//! which every Proxy-Wasm host has, and those of the ABI that the SDK offers only in part. All `unsafe`
//! code is here, besides the names in `exports`.
#![expect(unsafe_code, reason = "imports of the host are declared and called as foreign functions")]

use std::time::Duration;

use crate::{
    clock::Instant,
    request::{header_map, local_reply::LocalReply},
};

const SUCCESS: i32 = 0;
const REQUEST_HEADERS: i32 = 0;
const REQUEST_STREAM: i32 = 0;
const CLOCK_MONOTONIC: i32 = 1;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(buffer: *mut u8, length: usize) -> i32;
    fn clock_time_get(clock: i32, precision: u64, nanoseconds: *mut u64) -> i32;
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> i32;
    fn proxy_http_call(
        upstream: *const u8,
        upstream_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout_ms: u32,
        token: *mut u32,
    ) -> i32;
    fn proxy_continue_stream(stream: i32) -> i32;
    fn proxy_replace_header_map_value(
        map: i32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> i32;
    fn proxy_remove_header_map_value(map: i32, name: *const u8, name_size: usize) -> i32;
    fn proxy_get_header_map_pairs(map: i32, pairs: *mut *mut u8, size: *mut usize) -> i32;
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize) -> i32;
}

/// Answers the stream's request in place of the workload. The SDK's call lacks the details, which the
/// access log shows.
pub(crate) fn send_local_reply(reply: &LocalReply<'_>) {
    let LocalReply { status, details, body, headers, grpc_status } = reply;
    // SAFETY: each pointer goes with the length of what it points to, and the host only reads.
    let _ = unsafe {
        proxy_send_local_response(
            *status,
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            *grpc_status,
        )
    };
}

/// Sends a request without body or trailers to a cluster; returns its token, or the host's status. The
/// SDK's call would record the token for its dispatcher.
pub(crate) fn http_call(cluster: &str, headers: &[u8], timeout: Duration) -> Result<u32, i32> {
    let (none, mut token) = (header_map::encode(&[]), 0);
    let timeout_ms = timeout.as_millis() as u32;
    // SAFETY: each pointer goes with the length of what it points to. The host reads from all of them
    // except the last, to which it writes one u32.
    let result = unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            std::ptr::null(),
            0,
            none.as_ptr(),
            none.len(),
            timeout_ms,
            &mut token,
        )
    };
    if result == SUCCESS { Ok(token) } else { Err(result) }
}

/// Headers of the request as an encoded map. The SDK's call would copy each of them.
pub(crate) fn request_headers() -> Option<Vec<u8>> {
    let (mut pairs, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: the host writes one pointer and one length, to variables of these types.
    let result = unsafe { proxy_get_header_map_pairs(REQUEST_HEADERS, &mut pairs, &mut size) };
    if result != SUCCESS || pairs.is_null() {
        return None;
    }
    // SAFETY: the host has allocated these bytes by the SDK's `malloc`, as a `Vec` of that capacity, has
    // filled them, and passes their ownership.
    Some(unsafe { Vec::from_raw_parts(pairs, size, size) })
}

/// Lets the stream's request go on. The SDK's call would trap if the host refuses, as do the next two.
pub(crate) fn resume_request() {
    // SAFETY: nothing is passed but a number.
    let _ = unsafe { proxy_continue_stream(REQUEST_STREAM) };
}

/// Sets a header of the request, in place of all of that name.
pub(crate) fn set_request_header(name: &str, value: &str) {
    // SAFETY: each pointer goes with the length of what it points to, and the host only reads.
    let _ = unsafe {
        proxy_replace_header_map_value(
            REQUEST_HEADERS,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
}

/// Removes a header of the request.
pub(crate) fn remove_request_header(name: &str) {
    // SAFETY: the pointer goes with the length of what it points to, and the host only reads.
    let _ = unsafe { proxy_remove_header_map_value(REQUEST_HEADERS, name.as_ptr(), name.len()) };
}

/// Sets an attribute of the stream; `false` if the host refuses. The SDK's call would trap then.
pub(crate) fn set_property(name: &str, value: &str) -> bool {
    // SAFETY: each pointer goes with the length of what it points to, and the host only reads.
    let status = unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
    status == SUCCESS
}

/// Fresh entropy; `None` if the host has none.
pub(crate) fn entropy() -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    // SAFETY: the host writes `length` bytes to `buffer`, which has that length.
    let status = unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) };
    (status == SUCCESS).then_some(bytes)
}

/// Monotonic clock; its origin if the host has none.
pub(crate) fn now() -> Instant {
    let mut nanoseconds = 0;
    // SAFETY: the host writes one u64 to `nanoseconds`, which is one.
    let status = unsafe { clock_time_get(CLOCK_MONOTONIC, 0, &mut nanoseconds) };
    debug_assert_eq!(status, SUCCESS, "Envoy has this clock");
    Instant::from_origin(Duration::from_nanos(nanoseconds))
}
