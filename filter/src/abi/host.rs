//! Calls into the host, with the core's own types.
//!
//! A call of the SDK panics, which traps the VM, if the host answers with a status that it does not expect. Each of them
//! is given memory of its own, so no host answers with `InvalidMemoryAccess` unless an allocation has failed, which is a
//! trap already. Besides that, Envoy and its library `proxy-wasm-cpp-host` answer so:
//!
//! | calls | the host's other answers | why the SDK never sees those that it does not expect |
//! |---|---|---|
//! | `get_map_value_bytes` | `NotFound`; `BadArgument` without such a map, **not expected** | `request_header` is called for request headers only, while they are there; `poll_answer` looks for headers first |
//! | `log`, `get_buffer`, `define_metric` | `BadArgument` for a level, a buffer, a range or a kind that does not exist, **not expected** | they come from enums of the SDK, and the range begins at 0 |
//! | `get_current_time`, `set_tick_period`, `register_shared_queue` | none | |
//! | `get_property`, `call_foreign_function`, `increment_metric`, `record_metric`, `set_effective_context`, the other calls for shared data and queues | those that the SDK expects | |
//!
//! `record_metric` and `increment_metric` get only ids that `define_metric` has given for that VM. Calls that Envoy does
//! refuse in the ordinary course, as it does for a stream that has ended, are in `hostcalls` for that reason.

use std::time::{Duration, SystemTime};

use policies::{
    Timestamp,
    language::{Abort, Direction},
    wire::poll,
};
use proxy_wasm::{
    hostcalls as sdk,
    types::{BufferType, LogLevel, MapType, MetricType},
};

use super::hostcalls;
pub(super) use super::hostcalls::resume_request;
use crate::{
    event::Level,
    request::{
        header_map,
        local_reply::{FAULT, LocalReply, POLICY},
    },
    sync::{
        answer::{Answer, MAX_SNAPSHOT_BYTES},
        poller::Poll,
        shared_data::SharedData,
    },
};

/// Attribute that the access log can show as `%FILTER_STATE(wasm.hfi:PLAIN)%`.
const ACCESS_LOG: &str = "hfi";
/// Attribute of a request about which a plugin of this proxy has decided. It is filter state, which no client can set.
const DECIDED: &str = "hfi_decided";
/// Arguments of Envoy's function `declare_property` for that attribute, as protobuf: `name`, `readonly`, and `span`, by
/// which the attribute stays when Envoy follows a redirect itself and sends the request through all filters again.
const DECLARATION: &[u8] = b"\x0a\x0bhfi_decided\x10\x01\x28\x01";
/// Filter state in which Envoy counts the redirects that it follows itself.
const REDIRECTS: [&str; 2] = ["filter_state", "num_internal_redirects"];

pub(super) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Error => LogLevel::Error,
        Level::Warn => LogLevel::Warn,
        Level::Info => LogLevel::Info,
    };
    let _ = sdk::log(level, message);
}

/// Configuration of the plugin that is being configured, with its size in bytes.
pub(super) fn plugin_configuration(size: usize) -> Vec<u8> {
    let configuration = sdk::get_buffer(BufferType::PluginConfiguration, 0, size);
    configuration.ok().flatten().unwrap_or_default()
}

/// Attribute of the host.
pub(super) fn property(path: &[&str]) -> Option<Vec<u8>> {
    sdk::get_property(path.to_vec()).ok().flatten()
}

/// Time of day.
pub(super) fn wall_clock() -> Timestamp {
    let now = sdk::get_current_time().unwrap_or(SystemTime::UNIX_EPOCH);
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(since.as_millis() as u64)
}

/// Makes the host call `on_tick` after every `period`.
pub(super) fn set_tick_period(period: Duration) {
    let _ = sdk::set_tick_period(period);
}

/// Directs the following calls to another context; `false` if it does not exist.
pub(super) fn set_effective_context(context_id: u32) -> bool {
    sdk::set_effective_context(context_id).is_ok()
}

/// Directs the following calls to a stream; `false` if it is not open. Calls for a stream that does not
/// exist would reach another one. A reply to a stream that is reset, and that Envoy is about to delete,
/// would crash Envoy; such a stream has a duration.
pub(super) fn is_open(context_id: u32) -> bool {
    set_effective_context(context_id) && property(&["request", "duration"]).is_none()
}

pub(super) fn request_header(name: &str) -> Option<Vec<u8>> {
    sdk::get_map_value_bytes(MapType::HttpRequestHeaders, name).ok().flatten()
}

/// Marks a request as delayed by a policy, for the workload and the access log.
pub(super) fn mark_delayed(policy: &str) {
    hostcalls::set_property(ACCESS_LOG, &format!("delay {policy}"));
    mark_held(policy);
}

/// Marks a request whose fault was cancelled while it was held.
pub(super) fn mark_cancelled(policy: &str) {
    hostcalls::set_property(ACCESS_LOG, &format!("cancel {policy}"));
    mark_held(policy);
}

/// Tells the workload that the request comes late.
fn mark_held(policy: &str) {
    for (name, value) in [(FAULT, "delay"), (POLICY, policy)] {
        hostcalls::set_request_header(name, value);
    }
}

/// Removes marks that the client has set, and leaves those of a plugin that has held the request. Also while no policy
/// is in force: workloads and logs believe a mark, and the two looks are the price for that. Each change makes the host
/// choose the route again, so headers that are not there are left alone.
pub(super) fn remove_forged_marks() {
    for name in [FAULT, POLICY] {
        if request_header(name).is_some() && !is_decided() {
            hostcalls::remove_request_header(name);
        }
    }
}

/// Direction of the listener: Envoy's `TrafficDirection`, a little-endian i64. A listener without one is
/// inbound.
pub(super) fn direction() -> Option<Direction> {
    let property = property(&["xds", "listener_direction"]).or_else(|| property(&["listener_direction"]));
    let is_outbound =
        property.and_then(|bytes| bytes.try_into().ok()).is_some_and(|bytes| i64::from_le_bytes(bytes) == 2);
    Some(if is_outbound { Direction::Outbound } else { Direction::Inbound })
}

/// Name of the filter chain that the request came through.
pub(super) fn filter_chain() -> Option<Vec<u8>> {
    property(&["xds", "filter_chain_name"]).or_else(|| property(&["filter_chain_name"]))
}

/// Cluster that the route of the request has chosen.
pub(super) fn cluster() -> Option<Vec<u8>> {
    property(&["xds", "cluster_name"]).or_else(|| property(&["cluster_name"]))
}

/// Makes the attribute of a decision one that is set once for each request. The host does that for the root context
/// for which it has called.
pub(super) fn declare_decided() {
    let _ = sdk::call_foreign_function("declare_property", Some(DECLARATION));
}

/// True if a plugin has decided about the request for which the host has called.
fn is_decided() -> bool {
    property(&[DECIDED]).is_some()
}

/// Takes the decision about the request for which the host has called; `false` if another plugin has taken it: the host
/// refuses to set the attribute again. The other one may run another release of this module, in a VM of which this one
/// knows nothing. So the decision is also marked where no other plugin is known: the list of the proxy's plugins is
/// seconds old, and older releases are not in it.
pub(super) fn claim() -> bool {
    hostcalls::set_property(DECIDED, "1")
}

/// True if Envoy follows a redirect for the request for which the host has called. It was decided about when it came,
/// whether a rule applied to it or not.
pub(super) fn is_redirected() -> bool {
    property(&REDIRECTS).is_some()
}

/// Answers a request in place of the workload.
pub(super) fn reply(policy: &str, abort: &Abort) {
    hostcalls::set_property(ACCESS_LOG, &format!("abort {policy}"));
    hostcalls::send_local_reply(&LocalReply::new(policy, abort));
}

/// Sends a poll to the control plane; returns its token.
pub(super) fn send_poll(cluster: &str, poll: &Poll) -> Result<u32, String> {
    let headers: Vec<_> = poll.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let call = hostcalls::http_call(cluster, &header_map::encode(&headers), poll.timeout);
    call.map_err(|status| {
        format!(
            "cluster `{cluster}` of the control plane does not exist or has no endpoint (status {status})"
        )
    })
}

/// Answer to the poll for which the host has called.
pub(super) fn poll_answer(headers: usize, body_size: usize) -> Answer {
    if headers == 0 {
        // A connection that broke has no headers, and reading one would trap.
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
        revision: header(poll::REVISION),
        content_type: header("content-type"),
        is_too_large: body_size > MAX_SNAPSHOT_BYTES,
        body: if (1..=MAX_SNAPSHOT_BYTES).contains(&body_size) {
            body().unwrap_or_default()
        } else {
            Vec::new()
        },
    }
}

/// Defines a metric; returns its id unless the host refuses.
pub(super) fn define_metric(kind: MetricType, name: &str) -> Option<u32> {
    sdk::define_metric(kind, name).ok()
}

/// Adds to a counter or gauge.
pub(super) fn increment_metric(id: u32, change: i64) {
    let _ = sdk::increment_metric(id, change);
}

/// Sets a gauge, or adds a value to a histogram.
pub(super) fn record_metric(id: u32, value: u64) {
    let _ = sdk::record_metric(id, value);
}

/// Removes all entries of a queue.
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
        // Istio gives VMs no id; other installations can.
        let vm_id = property(&["plugin_vm_id"]).and_then(|id| String::from_utf8(id).ok()).unwrap_or_default();
        if let Ok(Some(queue)) = sdk::resolve_shared_queue(&vm_id, queue) {
            // If the VM that registered has ended, nothing else empties its queue.
            drain(queue);
            let _ = sdk::enqueue_shared_queue(queue, Some(b"changed"));
        }
    }
}
