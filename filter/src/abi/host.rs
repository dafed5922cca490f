//! The host's calls, in the core's own types.

use std::time::{Duration, SystemTime};

use policies::{
    Timestamp,
    language::{Abort, Direction},
};
use proxy_wasm::{
    hostcalls as sdk,
    types::{BufferType, LogLevel, MapType},
};

use super::hostcalls;
use crate::{
    event::Level,
    request::{
        header_map::map,
        local_reply::{FAULT, LocalReply, POLICY},
    },
    sync::{
        poller::{Answer, MAX_SNAPSHOT_BYTES, Poll, REVISION},
        shared::SharedData,
    },
};

/// The attribute that the access log has as `%FILTER_STATE(wasm.hfi:PLAIN)%`.
const ACCESS_LOG: &str = "hfi";

pub(super) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Error => LogLevel::Error,
        Level::Warn => LogLevel::Warn,
        Level::Info => LogLevel::Info,
    };
    let _ = sdk::log(level, message);
}

/// The configuration of the plugin that is being configured, of so many bytes.
pub(super) fn plugin_configuration(size: usize) -> Vec<u8> {
    let configuration = sdk::get_buffer(BufferType::PluginConfiguration, 0, size);
    configuration.ok().flatten().unwrap_or_default()
}

/// An attribute of the host.
pub(super) fn property(path: &[&str]) -> Option<Vec<u8>> {
    sdk::get_property(path.to_vec()).ok().flatten()
}

/// The time of day.
pub(super) fn wall_clock() -> Timestamp {
    let now = sdk::get_current_time().unwrap_or(SystemTime::UNIX_EPOCH);
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(since.as_millis() as u64)
}

/// Calls `on_tick` after `period`, and again after each further one.
pub(super) fn tick_after(period: Duration) {
    let _ = sdk::set_tick_period(period);
}

/// Makes the calls that follow act for another context; whether it is still there.
pub(super) fn act_for(context_id: u32) -> bool {
    sdk::set_effective_context(context_id).is_ok()
}

/// Makes the calls that follow act for a stream; whether that is still open. One that is gone must
/// not be acted for, since the calls would hit another one; nor one that has been reset and that Envoy
/// is about to delete, since an answer to it would end Envoy. Of such a one the duration is known.
pub(super) fn is_open(context_id: u32) -> bool {
    act_for(context_id) && property(&["request", "duration"]).is_none()
}

pub(super) fn request_header(name: &str) -> Option<Vec<u8>> {
    sdk::get_map_value_bytes(MapType::HttpRequestHeaders, name).ok().flatten()
}

/// Lets the workload and the access log know that a request was delayed, and by which policy.
pub(super) fn mark_delayed(policy: &str) {
    hostcalls::set_property(ACCESS_LOG, &format!("delay {policy}"));
    for (name, value) in [(FAULT, "delay"), (POLICY, policy)] {
        let _ = sdk::set_map_value(MapType::HttpRequestHeaders, name, Some(value));
    }
}

pub(super) fn resume_request() {
    let _ = sdk::resume_http_request();
}

/// Which way the listener takes requests: Envoy's `TrafficDirection`, a little-endian i64. One that
/// does not say is not outbound.
pub(super) fn direction() -> Option<Direction> {
    let property = property(&["xds", "listener_direction"]).or_else(|| property(&["listener_direction"]));
    let is_outbound =
        property.and_then(|bytes| bytes.try_into().ok()).is_some_and(|bytes| i64::from_le_bytes(bytes) == 2);
    Some(if is_outbound { Direction::Outbound } else { Direction::Inbound })
}

/// The name of the filter chain that the request came through.
pub(super) fn filter_chain() -> Option<Vec<u8>> {
    property(&["xds", "filter_chain_name"]).or_else(|| property(&["filter_chain_name"]))
}

/// Answers a request in the workload's place.
pub(super) fn reply(policy: &str, abort: &Abort) {
    hostcalls::set_property(ACCESS_LOG, &format!("abort {policy}"));
    hostcalls::send_local_reply(&LocalReply::new(policy, abort));
}

/// Sends a poll to the control plane; what its answer will be known by.
pub(super) fn call(cluster: &str, poll: &Poll) -> Result<u32, String> {
    let headers: Vec<_> = poll.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let call = hostcalls::http_call(cluster, &map(&headers), poll.timeout);
    call.map_err(|status| {
        format!("the control plane's cluster `{cluster}` is not there, or has no endpoint (status {status})")
    })
}

/// The answer of the call that has just ended.
pub(super) fn call_answer(headers: usize, body_size: usize) -> Answer {
    if headers == 0 {
        // A connection that broke in the middle has none, and to ask for one would trap.
        return Answer::default();
    }
    let header = |name| {
        let value = sdk::get_map_value_bytes(MapType::HttpCallResponseHeaders, name).ok().flatten()?;
        String::from_utf8(value).ok()
    };
    let body = || sdk::get_buffer(BufferType::HttpCallResponseBody, 0, body_size).ok().flatten();
    Answer {
        status: header(":status"),
        etag: header("etag"),
        revision: header(REVISION),
        is_too_large: body_size > MAX_SNAPSHOT_BYTES,
        body: if (1..=MAX_SNAPSHOT_BYTES).contains(&body_size) {
            body().unwrap_or_default()
        } else {
            Vec::new()
        },
    }
}

/// Takes out all that is in a queue.
pub(super) fn drain(queue: u32) {
    while let Ok(Some(_)) = sdk::dequeue_shared_queue(queue) {}
}

/// Envoy's shared data.
pub(super) struct HostData;

impl SharedData for HostData {
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        match sdk::get_shared_data(key) {
            Ok((Some(value), Some(version))) => Some((value, version)),
            _ => None,
        }
    }

    fn set(&self, key: &str, value: &[u8], expected: Option<u32>) -> bool {
        sdk::set_shared_data(key, Some(value), expected).is_ok()
    }

    fn listen(&self, queue: &str) {
        let _ = sdk::register_shared_queue(queue);
    }

    fn notify(&self, queue: &str) {
        // Istio gives VMs no id; others may.
        let vm_id = property(&["plugin_vm_id"]).and_then(|id| String::from_utf8(id).ok()).unwrap_or_default();
        if let Ok(Some(queue)) = sdk::resolve_shared_queue(&vm_id, queue) {
            // Where nobody listens any more, nobody takes out what was put in before.
            drain(queue);
            let _ = sdk::enqueue_shared_queue(queue, Some(b"look"));
        }
    }
}
