//! Calls into the host, with the core's own types.

use policies::{
    Timestamp,
    language::{Abort, Direction},
    wire::poll,
};

use super::hostcalls::{self, Buffer, Map};
pub(super) use super::hostcalls::{
    define_metric, increment_metric, log, property, record_metric, resume_request, set_effective_context,
    set_tick_period,
};
use crate::{
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

/// Configuration of the plugin that is being configured, with its size in bytes.
pub(super) fn plugin_configuration(size: usize) -> Vec<u8> {
    hostcalls::buffer(Buffer::PluginConfiguration, size).unwrap_or_default()
}

/// Time of day.
pub(super) fn wall_clock() -> Timestamp {
    Timestamp::from_millis(hostcalls::wall_clock() / 1_000_000)
}

/// Directs the following calls to a stream; `false` if it is not open. Calls for a stream that does not
/// exist would reach another one. A reply to a stream that is reset, and that Envoy is about to delete,
/// would crash Envoy; such a stream has a duration.
pub(super) fn is_open(context_id: u32) -> bool {
    set_effective_context(context_id) && property(&["request", "duration"]).is_none()
}

pub(super) fn request_header(name: &str) -> Option<Vec<u8>> {
    hostcalls::header(Map::Request, name)
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
    hostcalls::call_foreign_function("declare_property", DECLARATION);
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
    let header = |name| String::from_utf8(hostcalls::header(Map::CallResponse, name)?).ok();
    let body = || hostcalls::buffer(Buffer::CallResponseBody, body_size);
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

/// Removes all entries of a queue.
pub(super) fn drain(queue: u32) {
    while hostcalls::dequeue(queue).is_some() {}
}

/// Envoy's shared data.
pub(super) struct HostData;

impl SharedData for HostData {
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        hostcalls::shared_data(key)
    }

    fn set(&self, key: &str, value: &[u8], expected: Option<u32>) -> bool {
        hostcalls::set_shared_data(key, value, expected)
    }

    fn listen(&self, queue: &str) {
        hostcalls::register_queue(queue);
    }

    fn notify(&self, queue: &str) {
        // Istio gives VMs no id; other installations can.
        let vm_id = property(&["plugin_vm_id"]).and_then(|id| String::from_utf8(id).ok()).unwrap_or_default();
        if let Some(queue) = hostcalls::find_queue(&vm_id, queue) {
            // If the VM that registered has ended, nothing else empties its queue.
            drain(queue);
            hostcalls::enqueue(queue, b"changed");
        }
    }
}
