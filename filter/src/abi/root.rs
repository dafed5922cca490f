//! A root context: it polls, and lets held requests go.

use std::cell::{Cell, RefCell};

use policies::Digest;

use super::{
    host::{self, HostData},
    hostcalls,
    metrics::Metrics,
};
use crate::{
    clock::Instant,
    config::Config,
    event::Event,
    identity::Identity,
    plugin::Plugin,
    request::held::{Due, Outcome},
};

pub(super) struct Root {
    id: u32,
    /// The call whose answer is waited for.
    call: Cell<Option<u32>>,
    pub(super) plugin: RefCell<Plugin<HostData>>,
    pub(super) metrics: Metrics,
}

impl Root {
    pub(super) fn new(id: u32, configuration: &[u8], config: Config) -> Self {
        let now = hostcalls::now();
        let identity = Identity::discover(&config, host::property);
        let seed = hostcalls::entropy().unwrap_or_else(|| weak_entropy(&identity.node, now));
        let plugin = Plugin::new(configuration, config, identity, HostData, seed, now);
        let root =
            Self { id, call: Cell::new(None), plugin: RefCell::new(plugin), metrics: Metrics::define() };
        // Neither led nor polled here: this may be the VM in which the host only tries the
        // configuration out, and which it then throws away. That one never ticks.
        root.arm();
        root
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn tick(&self) {
        let now = hostcalls::now();
        let due = self.plugin.borrow_mut().held.take_due(now);
        for due in due {
            self.release(due);
        }
        let gone = self.plugin.borrow_mut().held.forget_gone(now, host::is_open);
        self.metrics.held(-(gone as i64));
        host::act_for(self.id);
        self.look();
    }

    pub(super) fn look(&self) {
        let now = hostcalls::now();
        let events = self.plugin.borrow_mut().look(now);
        self.tell(events);
        self.poll(now);
        self.arm();
    }

    pub(super) fn answered(&self, token: u32, headers: usize, body_size: usize) {
        if self.call.get() != Some(token) {
            // It was given up, and another one is under way: its answer may be older.
            return;
        }
        self.call.set(None);
        let answer = host::call_answer(headers, body_size);
        let events = self.plugin.borrow_mut().answered(answer, hostcalls::now());
        self.tell(events);
        self.arm();
    }

    fn poll(&self, now: Instant) {
        let mut plugin = self.plugin.borrow_mut();
        let Some(poll) = plugin.poll(now) else { return };
        let call = host::call(plugin.cluster(), &poll);
        self.call.set(call.as_ref().ok().copied());
        if let Err(reason) = call {
            let failed = plugin.failed(reason, now);
            drop(plugin);
            self.tell([failed]);
        }
    }

    /// Tells of what has happened, once for all VMs of the proxy.
    fn tell(&self, events: impl IntoIterator<Item = Event>) {
        let plugin = self.plugin.borrow();
        if !plugin.leads() {
            return;
        }
        let policies = plugin.policies(host::wall_clock());
        for event in events {
            match &event {
                Event::Led { .. } => self.metrics.led(),
                Event::Updated { .. } => self.metrics.update(),
                Event::Failed { .. } => self.metrics.sync_failure(),
                Event::Stale | Event::Fresh => {}
            }
            if let Some((level, message)) = event.message(plugin.identity(), policies) {
                host::log(level, &message);
            }
        }
        self.metrics.policies_active(policies);
    }

    /// The host has let it go, and with it the requests that it held.
    pub(super) fn retire(&self) {
        self.metrics.held(-(self.plugin.borrow().held.len() as i64));
    }

    /// Lets a request go whose time is up.
    fn release(&self, due: Due) {
        self.metrics.held(-1);
        if !host::is_open(due.context_id) {
            return;
        }
        if let Some(delayed) = due.delayed {
            self.metrics.delayed(delayed);
        }
        match due.outcome {
            Outcome::Resume => host::resume_request(),
            Outcome::Abort(abort) => {
                self.metrics.abort(&due.policy);
                host::reply(&due.policy, &abort);
            }
        }
    }

    /// Sets the timer for what is to be done next.
    pub(super) fn arm(&self) {
        host::tick_after(self.plugin.borrow().next_tick(hostcalls::now()));
    }
}

/// For a host without entropy: no two proxies, instants or VMs begin alike, as far as one can tell.
fn weak_entropy(node: &str, now: Instant) -> [u8; 32] {
    let clocks = [now.since(Instant::default()).as_nanos(), host::wall_clock().as_millis().into()];
    let [monotonic, wall] = clocks.map(u128::to_le_bytes);
    Digest::of_parts([node.as_bytes(), &monotonic, &wall]).into_bytes()
}
