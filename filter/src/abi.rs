//! The Proxy-Wasm callbacks: they ask the core what to do, and do it.
//!
//! Nothing in here may panic: a trap ends the VM and every request that it holds.

mod host;
mod metrics;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use policies::{
    Digest, Timestamp,
    policy::{Direction, Mode},
};
use proxy_wasm::{
    traits::{Context, HttpContext, RootContext},
    types::{Action, ContextType, LogLevel},
};

use self::metrics::Metrics;
use crate::{
    config::Config,
    held::{Due, Outcome},
    identity::Identity,
    plugin::{Plugin, Synced},
    request::{Request, Source},
    wasi,
};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|context_id| Box::new(Root { context_id, shared: None }));
}}

/// What a root context and its streams have in common.
struct Shared {
    plugin: RefCell<Plugin>,
    /// The call whose answer is waited for.
    call: Cell<Option<u32>>,
    metrics: Metrics,
}

/// The root context: it polls, and lets held requests go.
struct Root {
    context_id: u32,
    /// Absent until a usable configuration has come; then the filter is inert.
    shared: Option<Rc<Shared>>,
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body_size: usize, _trailers: usize) {
        let Some(shared) = &self.shared else { return };
        if shared.call.get() != Some(token) {
            // It was given up, and another one is under way: its answer may be older.
            return;
        }
        shared.call.set(None);
        let answer = host::call_answer(headers, body_size);
        let synced = shared.plugin.borrow_mut().answered(answer, wasi::now());
        shared.tell(synced);
        shared.arm();
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        // Always true: to refuse would reject the listener, and with static configuration end Envoy.
        match Config::parse(&self.get_plugin_configuration().unwrap_or_default()) {
            Ok(config) => self.configure(config),
            Err(error) => {
                host::log(LogLevel::Error, &format!("hfi is inert, no fault will be injected: {error}"))
            }
        }
        true
    }

    fn on_tick(&mut self) {
        let Some(shared) = &self.shared else { return };
        let now = wasi::now();
        shared.poll(now);
        if shared.plugin.borrow_mut().expire(now) {
            host::log(
                LogLevel::Warn,
                "stopped injecting: the control plane has not been heard of for max_staleness_seconds",
            );
            shared.metrics.policies_active(0);
        }
        let due = shared.plugin.borrow_mut().held.take_due(now);
        for due in due {
            shared.release(due);
        }
        host::act_for(self.context_id);
        shared.arm();
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { context_id, shared: self.shared.clone() }))
    }
}

impl Root {
    fn configure(&mut self, config: Config) {
        let identity = Identity::discover(&config, host::property);
        if let Some(warning) = &identity.warning {
            let message = format!(
                "this proxy's workload is not known, so only policies that do not ask for what is missing apply: {warning}"
            );
            host::log(LogLevel::Warn, &message);
        }
        host::log(LogLevel::Info, &format!("hfi {} for {}", env!("CARGO_PKG_VERSION"), identity.workload));
        let seed = wasi::entropy().unwrap_or_else(|| weak_entropy(&identity.node));
        let plugin = Plugin::new(config, identity, seed, wasi::now());
        let shared = Rc::new(Shared {
            plugin: RefCell::new(plugin),
            call: Cell::new(None),
            metrics: Metrics::define(),
        });
        // Not polled here: this may be the VM that only tries the configuration out and is then
        // thrown away. It never ticks.
        shared.arm();
        self.shared = Some(shared);
    }
}

/// For a host without entropy: no two proxies, instants or VMs begin alike, as far as one can tell.
fn weak_entropy(node: &str) -> [u8; 32] {
    let now = host::wall_clock_nanos().to_le_bytes();
    let monotonic = format!("{:?}", wasi::now());
    Digest::of_parts([node.as_bytes(), &now, monotonic.as_bytes()]).into_bytes()
}

impl Shared {
    fn poll(&self, now: crate::clock::Instant) {
        let mut plugin = self.plugin.borrow_mut();
        let Some(poll) = plugin.poll(now) else { return };
        let call = host::call(plugin.cluster(), &poll);
        self.call.set(call.as_ref().ok().copied());
        if let Err(reason) = call {
            let synced = plugin.failed(reason, now);
            self.tell(synced);
        }
    }

    fn tell(&self, synced: Synced) {
        match synced {
            Synced::Unchanged => {}
            Synced::Updated { digest, policies } => {
                let message = format!(
                    "Received config update from control plane: {digest}, {policies} policies for this workload"
                );
                host::log(LogLevel::Info, &message);
                self.metrics.update();
                self.metrics.policies_active(policies as u64);
            }
            Synced::Failed { reason, first } => {
                self.metrics.sync_failure();
                if first {
                    host::log(
                        LogLevel::Warn,
                        &format!("what is in force stays in force: {reason}; retrying"),
                    );
                }
            }
        }
    }

    /// Lets a request go whose time is up.
    fn release(&self, due: Due) {
        self.metrics.held(-1);
        if let Some(delayed) = due.delayed {
            self.metrics.delay(delayed);
        }
        // A stream that is gone must not be acted for: the call would hit another one.
        if !host::act_for(due.context_id) {
            return;
        }
        match due.outcome {
            Outcome::Resume => host::resume_request(),
            Outcome::Abort { policy, abort } => {
                self.metrics.abort();
                host::reply(&policy, &abort);
            }
        }
    }

    /// Sets the timer for what is to be done next.
    fn arm(&self) {
        host::tick_after(self.plugin.borrow().next_tick(wasi::now()));
    }
}

/// One request.
struct Stream {
    context_id: u32,
    shared: Option<Rc<Shared>>,
}

/// What the host says of the request of the stream that it calls for.
struct HostRequest {
    is_gateway: bool,
}

impl Source for HostRequest {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis((host::wall_clock_nanos() / 1_000_000) as u64)
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        host::request_header(name)
    }

    fn direction(&self) -> Option<Direction> {
        if self.is_gateway { Some(Direction::Inbound) } else { host::direction() }
    }

    fn peer(&self) -> Option<Vec<u8>> {
        host::property(&["connection", "uri_san_peer_certificate"])
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        let Some(shared) = &self.shared else { return Action::Continue };
        let mut plugin = shared.plugin.borrow_mut();
        if plugin.is_idle() {
            return Action::Continue;
        }
        let request = Request::new(HostRequest { is_gateway: plugin.is_gateway() });
        let Some(decision) = plugin.decide(&request) else { return Action::Continue };
        if decision.mode == Mode::Shadow {
            shared.metrics.shadow();
            return Action::Continue;
        }
        if decision.hold.is_zero() {
            let Some(abort) = &decision.abort else { return Action::Continue };
            shared.metrics.abort();
            host::reply(&decision.policy, abort);
            return Action::Pause;
        }
        if decision.abort.is_none() {
            host::mark_delayed(&decision.policy);
        }
        plugin.held.hold(self.context_id, decision, wasi::now());
        shared.metrics.held(1);
        drop(plugin);
        shared.arm();
        Action::Pause
    }
}

impl Drop for Stream {
    /// The host has deleted the stream; if its client left while it was held, nobody waits any more.
    fn drop(&mut self) {
        if let Some(shared) = &self.shared
            && let Ok(mut plugin) = shared.plugin.try_borrow_mut()
            && plugin.held.forget(self.context_id)
        {
            shared.metrics.held(-1);
        }
    }
}
