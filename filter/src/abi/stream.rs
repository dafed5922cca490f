//! The request of one stream.

use policies::{Decision, Facts, Timestamp, language::Direction};
use proxy_wasm::types::Action;

use super::{host, hostcalls, root::Root};
use crate::request::{fate::Fate, lazy_request::LazyRequest, source::RequestSource};

/// Request of the stream for which the host has called.
struct StreamRequest {
    is_always_inbound: bool,
}

impl RequestSource for StreamRequest {
    fn now(&self) -> Timestamp {
        host::wall_clock()
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        host::request_header(name)
    }

    fn header_map(&self) -> Option<Vec<u8>> {
        hostcalls::request_headers()
    }

    fn direction(&self) -> Option<Direction> {
        if self.is_always_inbound { Some(Direction::Inbound) } else { host::direction() }
    }

    fn cluster(&self) -> Option<Vec<u8>> {
        host::cluster()
    }

    fn claim(&self) -> bool {
        host::claim()
    }

    fn certificate(&self) -> Option<Vec<u8>> {
        host::property(&["connection", "uri_san_peer_certificate"])
    }

    fn tunnel_principal(&self) -> Option<Vec<u8>> {
        host::property(&["filter_state", "io.istio.peer_principal"])
    }
}

/// Applies the policies to a request.
pub(super) fn on_request_headers(root: &Root, context_id: u32) -> Action {
    #[cfg(feature = "trap")]
    if host::request_header("x-hfi-trap").is_some() {
        core::arch::wasm32::unreachable();
    }
    let mut plugin = root.plugin.borrow_mut();
    if plugin.is_gateway() {
        host::remove_forged_marks();
    }
    if plugin.is_idle() {
        return Action::Continue;
    }
    let request = LazyRequest::new(StreamRequest { is_always_inbound: plugin.is_always_inbound() });
    let decision = plugin.decide(&request, host::filter_chain);
    // Asked last, so that only a request that would get a fault pays for it.
    if (decision.is_some() || request.is_undecided()) && host::is_redirected() {
        return Action::Continue;
    }
    let Some(decision) = decision else {
        if request.is_undecided() {
            root.metrics.count_undecided();
        }
        return Action::Continue;
    };
    let fate = plugin.fate(&decision);
    drop(plugin);
    let (metrics, policy) = (&root.metrics, &decision.policy);
    match fate {
        Fate::Shadow => metrics.count_shadow(policy),
        Fate::Overflow => metrics.count_overflow(),
        Fate::Continue => {}
        Fate::Abort(abort) => {
            metrics.count_abort(policy);
            host::reply(policy, &abort);
            return Action::Pause;
        }
        Fate::Hold => {
            hold(root, context_id, decision, request.now());
            return Action::Pause;
        }
    }
    Action::Continue
}

/// Holds a request that came at this time of day.
fn hold(root: &Root, context_id: u32, decision: Decision, time: Timestamp) {
    let (metrics, policy) = (&root.metrics, &decision.policy);
    if decision.abort.is_none() {
        host::mark_delayed(policy);
    }
    metrics.add_held(1);
    if decision.delayed {
        metrics.count_delay(policy);
    }
    let is_first = root.plugin.borrow_mut().hold(context_id, decision, hostcalls::now(), time);
    if is_first {
        root.set_timer();
    }
}
