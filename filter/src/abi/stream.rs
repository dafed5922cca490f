//! One request.

use policies::{
    Timestamp,
    language::{Direction, Mode},
};
use proxy_wasm::types::Action;

use super::{host, hostcalls, root::Root};
use crate::request::view::{Request, Source};

/// What the host says of the request of the stream that it calls for.
struct HostRequest {
    only_receives: bool,
}

impl Source for HostRequest {
    fn now(&self) -> Timestamp {
        host::wall_clock()
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        host::request_header(name)
    }

    fn headers(&self) -> Option<Vec<u8>> {
        hostcalls::request_headers()
    }

    fn direction(&self) -> Option<Direction> {
        if self.only_receives { Some(Direction::Inbound) } else { host::direction() }
    }

    fn peer(&self) -> Option<Vec<u8>> {
        host::property(&["connection", "uri_san_peer_certificate"])
    }
}

/// Does to a request what the policies say.
pub(super) fn request(root: &Root, context_id: u32) -> Action {
    #[cfg(feature = "trap")]
    if host::request_header("x-hfi-trap").is_some() {
        core::arch::wasm32::unreachable();
    }
    let mut plugin = root.plugin.borrow_mut();
    if plugin.is_idle() {
        return Action::Continue;
    }
    let request = Request::new(HostRequest { only_receives: plugin.only_receives() });
    let Some(decision) = plugin.decide(&request, host::filter_chain) else { return Action::Continue };
    let is_full = plugin.is_full();
    drop(plugin);
    let (metrics, policy) = (&root.metrics, &decision.policy);
    if decision.mode == Mode::Shadow {
        metrics.shadow(policy);
        return Action::Continue;
    }
    if decision.hold.is_zero() {
        let Some(abort) = &decision.abort else { return Action::Continue };
        metrics.abort(policy);
        host::reply(policy, abort);
        return Action::Pause;
    }
    if is_full {
        metrics.overflow();
        return Action::Continue;
    }
    if decision.abort.is_none() {
        host::mark_delayed(policy);
    }
    metrics.held(1);
    if decision.delayed {
        metrics.delay(policy);
    }
    let is_first = root.plugin.borrow_mut().held.hold(context_id, decision, hostcalls::now());
    if is_first {
        root.arm();
    }
    Action::Pause
}
