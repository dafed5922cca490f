//! The host's calls, in the core's own types.

use std::time::{Duration, SystemTime};

use policies::{
    policy::Direction,
    reply::{Abort, GrpcStatus, Reply},
};
use proxy_wasm::{
    hostcalls,
    types::{BufferType, GrpcStatusCode, LogLevel, MapType},
};

use crate::sync::{Answer, Poll, REVISION};

/// Says which fault a reply or a request is marked with.
const FAULT: &str = "x-hfi-fault";
/// Says which policy it comes from.
const POLICY: &str = "x-hfi-policy";

pub(super) fn log(level: LogLevel, message: &str) {
    let _ = hostcalls::log(level, message);
}

/// An attribute of the host.
pub(super) fn property(path: &[&str]) -> Option<Vec<u8>> {
    hostcalls::get_property(path.to_vec()).ok().flatten()
}

/// Nanoseconds since the Unix epoch.
pub(super) fn wall_clock_nanos() -> u128 {
    let now = hostcalls::get_current_time().unwrap_or(SystemTime::UNIX_EPOCH);
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// Calls `on_tick` after `period`, and again after each further one.
pub(super) fn tick_after(period: Duration) {
    let _ = hostcalls::set_tick_period(period);
}

/// Makes the calls that follow act for another context; whether it is still there.
pub(super) fn act_for(context_id: u32) -> bool {
    hostcalls::set_effective_context(context_id).is_ok()
}

pub(super) fn request_header(name: &str) -> Option<Vec<u8>> {
    hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, name).ok().flatten()
}

/// Lets the workload know that its request was delayed, and by which policy.
pub(super) fn mark_delayed(policy: &str) {
    for (name, value) in [(FAULT, "delay"), (POLICY, policy)] {
        let _ = hostcalls::set_map_value(MapType::HttpRequestHeaders, name, Some(value));
    }
}

pub(super) fn resume_request() {
    let _ = hostcalls::resume_http_request();
}

/// Which way the listener takes requests: Envoy's `TrafficDirection`, a little-endian i64. One that
/// does not say is not outbound.
pub(super) fn direction() -> Option<Direction> {
    let property = property(&["xds", "listener_direction"]).or_else(|| property(&["listener_direction"]));
    let is_outbound =
        property.and_then(|bytes| bytes.try_into().ok()).is_some_and(|bytes| i64::from_le_bytes(bytes) == 2);
    Some(if is_outbound { Direction::Outbound } else { Direction::Inbound })
}

/// Answers a request in the workload's place.
pub(super) fn reply(policy: &str, Abort { reply, headers }: &Abort) {
    let marks = [(FAULT, "abort"), (POLICY, policy)].into_iter();
    let headers = marks.chain(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    match reply {
        Reply::Http { status, body } => {
            let body = (!body.is_empty()).then_some(body.as_bytes());
            let _ = hostcalls::send_http_response(status.as_u16().into(), headers.collect(), body);
        }
        Reply::Grpc { status, message } => {
            let message = (!message.is_empty()).then_some(message.as_str());
            let metadata = headers.map(|(name, value)| (name, value.as_bytes())).collect();
            let _ = hostcalls::send_grpc_response(grpc_status(*status), message, metadata);
        }
    }
}

fn grpc_status(status: GrpcStatus) -> GrpcStatusCode {
    use GrpcStatusCode as Code;
    match status.as_u8() {
        1 => Code::Cancelled,
        3 => Code::InvalidArgument,
        4 => Code::DeadlineExceeded,
        5 => Code::NotFound,
        6 => Code::AlreadyExists,
        7 => Code::PermissionDenied,
        8 => Code::ResourceExhausted,
        9 => Code::FailedPrecondition,
        10 => Code::Aborted,
        11 => Code::OutOfRange,
        12 => Code::Unimplemented,
        13 => Code::Internal,
        14 => Code::Unavailable,
        15 => Code::DataLoss,
        16 => Code::Unauthenticated,
        _ => Code::Unknown,
    }
}

/// Sends a poll to the control plane; what its answer will be known by.
pub(super) fn call(cluster: &str, poll: &Poll) -> Result<u32, String> {
    let headers = poll.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let call = hostcalls::dispatch_http_call(cluster, headers, None, Vec::new(), poll.timeout);
    call.map_err(|status| format!("the control plane's cluster `{cluster}` cannot be called ({status:?})"))
}

/// The answer of the call that has just ended.
pub(super) fn call_answer(headers: usize, body_size: usize) -> Answer {
    if headers == 0 {
        // A connection that broke in the middle has none, and to ask for one would trap.
        return Answer::default();
    }
    let header = |name| {
        let value = hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, name).ok().flatten()?;
        String::from_utf8(value).ok()
    };
    let body = || hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body_size).ok().flatten();
    Answer {
        status: header(":status"),
        etag: header("etag"),
        revision: header(REVISION),
        body: if body_size == 0 { Vec::new() } else { body().unwrap_or_default() },
    }
}
