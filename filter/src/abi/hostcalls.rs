//! Calls into the host. All `unsafe` code is here and in `imports`, besides the names in `exports`.
//!
//! A call that the host refuses is a `None`, an error or a `false`, and never a trap.
#![expect(unsafe_code, reason = "functions of the host are foreign")]

use std::time::Duration;

use super::imports::*;
use crate::{
    clock::Instant,
    event::Level,
    request::{header_map, local_reply::LocalReply},
    stats::Kind,
};

const SUCCESS: i32 = 0;
const CLOCK_MONOTONIC: i32 = 1;
const REQUEST_STREAM: i32 = 0;

/// Map of headers, with its number in the ABI.
#[derive(Clone, Copy)]
pub(super) enum Map {
    Request = 0,
    CallResponse = 6,
}

/// Buffer, with its number in the ABI.
#[derive(Clone, Copy)]
pub(super) enum Buffer {
    CallResponseBody = 4,
    PluginConfiguration = 7,
}

/// Memory for bytes that the host passes. [`passed`] frees it.
pub(super) fn allocate(size: usize) -> *mut u8 {
    Box::into_raw(Box::<[u8]>::new_uninit_slice(size)).cast()
}

/// Bytes that the host passes; `None` if it refuses.
///
/// # Safety
///
/// `call` calls a function of the host, which writes an address and a length to its arguments: those of bytes that it
/// has allocated by [`allocate`] and filled, and whose ownership it passes, or a null pointer for no bytes.
unsafe fn passed(call: impl FnOnce(*mut *mut u8, *mut usize) -> i32) -> Option<Vec<u8>> {
    let (mut bytes, mut size) = (std::ptr::null_mut(), 0);
    if call(&mut bytes, &mut size) != SUCCESS {
        return None;
    }
    if bytes.is_null() {
        return Some(Vec::new());
    }
    // SAFETY: by the condition above these are `size` bytes of a boxed slice that belongs to nobody else.
    Some(unsafe { Vec::from_raw_parts(bytes, size, size) })
}

pub(super) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Info => 2,
        Level::Warn => 3,
        Level::Error => 4,
    };
    // SAFETY: the pointer goes with the length of what it points to, and the host only reads.
    let _ = unsafe { proxy_log(level, message.as_ptr(), message.len()) };
}

/// Part of a buffer, from its beginning.
pub(super) fn buffer(buffer: Buffer, size: usize) -> Option<Vec<u8>> {
    // SAFETY: the host passes bytes.
    unsafe { passed(|bytes, length| proxy_get_buffer_bytes(buffer as i32, 0, size, bytes, length)) }
}

/// Attribute of the host, which has a value.
pub(super) fn property(path: &[&str]) -> Option<Vec<u8>> {
    let path = path.join("\0");
    // SAFETY: the path goes with its length, and the host passes bytes.
    let value = unsafe { passed(|value, size| proxy_get_property(path.as_ptr(), path.len(), value, size)) };
    value.filter(|value| !value.is_empty())
}

/// Sets an attribute of the stream; `false` if the host refuses.
pub(super) fn set_property(name: &str, value: &str) -> bool {
    // SAFETY: each pointer goes with the length of what it points to, and the host only reads.
    let status = unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
    status == SUCCESS
}

/// Value of a header.
pub(super) fn header(map: Map, name: &str) -> Option<Vec<u8>> {
    // SAFETY: the name goes with its length, and the host passes bytes.
    unsafe {
        passed(|value, size| proxy_get_header_map_value(map as i32, name.as_ptr(), name.len(), value, size))
    }
}

/// Headers of the request as an encoded map.
pub(super) fn request_headers() -> Option<Vec<u8>> {
    // SAFETY: the host passes bytes.
    let map = unsafe { passed(|pairs, size| proxy_get_header_map_pairs(Map::Request as i32, pairs, size)) };
    map.filter(|map| !map.is_empty())
}

/// Sets a header of the request, in place of all of that name.
pub(super) fn set_request_header(name: &str, value: &str) {
    let (map, size) = (Map::Request as i32, value.len());
    // SAFETY: each pointer goes with the length of what it points to, and the host only reads.
    let _ = unsafe { proxy_replace_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), size) };
}

/// Removes a header of the request.
pub(super) fn remove_request_header(name: &str) {
    // SAFETY: the pointer goes with the length of what it points to, and the host only reads.
    let _ = unsafe { proxy_remove_header_map_value(Map::Request as i32, name.as_ptr(), name.len()) };
}

/// Lets the stream's request go on.
pub(super) fn resume_request() {
    // SAFETY: nothing is passed but a number.
    let _ = unsafe { proxy_continue_stream(REQUEST_STREAM) };
}

/// Answers the stream's request in place of the workload.
pub(super) fn send_local_reply(reply: &LocalReply<'_>) {
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

/// Sends a request without body or trailers to a cluster; returns its token, or the host's status.
pub(super) fn http_call(cluster: &str, headers: &[u8], timeout: Duration) -> Result<u32, i32> {
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

/// Calls a function that only this host has.
pub(super) fn call_foreign_function(name: &str, arguments: &[u8]) {
    let (name, size) = (name.as_ptr(), name.len());
    // SAFETY: each pointer goes with the length of what it points to, and the host passes bytes.
    let _ = unsafe {
        passed(|result, result_size| {
            proxy_call_foreign_function(name, size, arguments.as_ptr(), arguments.len(), result, result_size)
        })
    };
}

/// Directs the following calls to another context; `false` if it does not exist.
pub(super) fn set_effective_context(context_id: u32) -> bool {
    // SAFETY: nothing is passed but a number.
    unsafe { proxy_set_effective_context(context_id) == SUCCESS }
}

/// Makes the host call `on_tick` after every `period`.
pub(super) fn set_tick_period(period: Duration) {
    // SAFETY: nothing is passed but a number.
    let _ = unsafe { proxy_set_tick_period_milliseconds(period.as_millis() as u32) };
}

/// Defines a metric; returns its id.
pub(super) fn define_metric(kind: Kind, name: &str) -> Option<u32> {
    let kind = match kind {
        Kind::Counter => 0,
        Kind::Gauge => 1,
        Kind::Histogram => 2,
    };
    let mut id = 0;
    // SAFETY: the name goes with its length, and the host writes one u32 to `id`, which is one.
    let status = unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &mut id) };
    (status == SUCCESS).then_some(id)
}

/// Adds to a counter or gauge.
pub(super) fn increment_metric(id: u32, change: i64) {
    // SAFETY: nothing is passed but numbers.
    let _ = unsafe { proxy_increment_metric(id, change) };
}

/// Sets a gauge, or adds a value to a histogram.
pub(super) fn record_metric(id: u32, value: u64) {
    // SAFETY: nothing is passed but numbers.
    let _ = unsafe { proxy_record_metric(id, value) };
}

/// Value in the shared data, and its version, if there is one.
pub(super) fn shared_data(key: &str) -> Option<(Vec<u8>, u32)> {
    let mut version = 0;
    // SAFETY: the key goes with its length, and the host passes bytes and writes one u32 to `version`, which is one.
    let value = unsafe {
        passed(|value, size| proxy_get_shared_data(key.as_ptr(), key.len(), value, size, &mut version))
    };
    Some((value.filter(|value| !value.is_empty() && version != 0)?, version))
}

/// Sets a value in the shared data, if it still has the expected version; `false` if the host refuses.
pub(super) fn set_shared_data(key: &str, value: &[u8], expected: Option<u32>) -> bool {
    let version = expected.unwrap_or(0);
    // SAFETY: each pointer goes with the length of what it points to, and the host only reads.
    let status =
        unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), version) };
    status == SUCCESS
}

/// Has this VM notified of entries in a queue.
pub(super) fn register_queue(name: &str) {
    let mut id = 0;
    // SAFETY: the name goes with its length, and the host writes one u32 to `id`, which is one.
    let _ = unsafe { proxy_register_shared_queue(name.as_ptr(), name.len(), &mut id) };
}

/// Id of a queue of the VMs with this id.
pub(super) fn find_queue(vm_id: &str, name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: each name goes with its length, and the host writes one u32 to `id`, which is one.
    let status = unsafe {
        proxy_resolve_shared_queue(vm_id.as_ptr(), vm_id.len(), name.as_ptr(), name.len(), &mut id)
    };
    (status == SUCCESS).then_some(id)
}

pub(super) fn enqueue(queue: u32, entry: &[u8]) {
    // SAFETY: the pointer goes with the length of what it points to, and the host only reads.
    let _ = unsafe { proxy_enqueue_shared_queue(queue, entry.as_ptr(), entry.len()) };
}

/// Removes the first entry of a queue; `None` if it is empty.
pub(super) fn dequeue(queue: u32) -> Option<Vec<u8>> {
    // SAFETY: the host passes bytes.
    unsafe { passed(|entry, size| proxy_dequeue_shared_queue(queue, entry, size)) }
}

/// Fresh entropy; `None` if the host has none.
pub(super) fn entropy() -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    // SAFETY: the host writes `length` bytes to `buffer`, which has that length.
    let status = unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) };
    (status == SUCCESS).then_some(bytes)
}

/// Monotonic clock; its origin if the host has none.
pub(super) fn now() -> Instant {
    let mut nanoseconds = 0;
    // SAFETY: the host writes one u64 to `nanoseconds`, which is one.
    let status = unsafe { clock_time_get(CLOCK_MONOTONIC, 0, &mut nanoseconds) };
    debug_assert_eq!(status, SUCCESS, "Envoy has this clock");
    Instant::from_origin(Duration::from_nanos(nanoseconds))
}

/// Nanoseconds since the Unix epoch; 0 if the host has no such clock.
pub(super) fn wall_clock() -> u64 {
    let mut nanoseconds = 0;
    // SAFETY: the host writes one u64 to `nanoseconds`, which is one.
    let status = unsafe { proxy_get_current_time_nanoseconds(&mut nanoseconds) };
    if status == SUCCESS { nanoseconds } else { 0 }
}
