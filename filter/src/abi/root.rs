//! One root context: it polls, and releases held requests.

use std::cell::{Cell, RefCell};

use policies::{Digest, wire::poll::NodeId};

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
    request::held::{DueRequest, Outcome},
};

pub(super) struct Root {
    id: u32,
    /// Token of the poll under way.
    call: Cell<Option<u32>>,
    pub(super) plugin: RefCell<Plugin<HostData>>,
    pub(super) metrics: Metrics,
}

impl Root {
    pub(super) fn new(id: u32, configuration: &[u8], config: Config) -> Self {
        let now = hostcalls::now();
        host::declare_decided();
        let identity = Identity::discover(&config, host::property);
        let seed = hostcalls::entropy().unwrap_or_else(|| weak_entropy(identity.node.as_ref(), now));
        let plugin = Plugin::new(configuration, config, identity, HostData, seed, now);
        let root =
            Self { id, call: Cell::new(None), plugin: RefCell::new(plugin), metrics: Metrics::define() };
        // No lease and no poll here: this may be the VM in which the host only validates the
        // configuration, and which it then removes. That VM has no ticks.
        root.set_timer();
        root
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn on_tick(&self) {
        let now = hostcalls::now();
        let due = self.plugin.borrow_mut().take_due(now);
        for due in due {
            self.release(due);
        }
        let ended = self.plugin.borrow_mut().forget_ended(now, host::is_open);
        self.metrics.add_held(-(ended as i64));
        host::set_effective_context(self.id);
        self.refresh();
    }

    /// Runs what the other VMs have published, and polls if that is due.
    pub(super) fn refresh(&self) {
        let now = hostcalls::now();
        let events = self.plugin.borrow_mut().refresh(now);
        self.report(events);
        self.poll(now);
        self.set_timer();
    }

    pub(super) fn on_http_call_response(&self, token: u32, headers: usize, body_size: usize) {
        if self.call.get() != Some(token) {
            // This poll was given up, and another one is under way: its answer may be older.
            return;
        }
        self.call.set(None);
        let answer = host::poll_answer(headers, body_size);
        let events = self.plugin.borrow_mut().handle_answer(answer, hostcalls::now());
        self.report(events);
        self.set_timer();
    }

    fn poll(&self, now: Instant) {
        let mut plugin = self.plugin.borrow_mut();
        let Some(poll) = plugin.next_poll(now) else { return };
        let call = host::send_poll(plugin.cluster(), &poll);
        self.call.set(call.as_ref().ok().copied());
        if let Err(reason) = call {
            let failed = plugin.handle_failure(reason, now);
            drop(plugin);
            self.report([failed]);
        }
    }

    /// Logs and counts events, once for all VMs of the proxy.
    fn report(&self, events: impl IntoIterator<Item = Event>) {
        let plugin = self.plugin.borrow();
        if !plugin.is_leader() {
            return;
        }
        let policies = plugin.active_policies(host::wall_clock());
        for event in events {
            match &event {
                Event::BecameLeader { .. } => self.metrics.became_leader(),
                Event::Updated { .. } => self.metrics.count_update(),
                Event::PollFailed { .. } => self.metrics.count_sync_failure(),
                Event::NoEtag | Event::Stale | Event::Fresh => {}
            }
            if let Some((level, message)) = event.message(plugin.identity(), policies) {
                host::log(level, &message);
            }
        }
        self.metrics.set_active_policies(policies);
    }

    /// Handles the end of the root and of the requests that it holds.
    pub(super) fn on_end(&self) {
        self.plugin.borrow_mut().add_counts();
        self.metrics.add_held(-(self.plugin.borrow().held_requests() as i64));
    }

    /// Releases a request whose time is up.
    fn release(&self, due: DueRequest) {
        self.metrics.add_held(-1);
        if !host::is_open(due.context_id) {
            return;
        }
        if let Some(delayed) = due.delayed {
            self.metrics.record_delay(delayed);
        }
        match due.outcome {
            Outcome::Resume => host::resume_request(),
            Outcome::Cancel => {
                self.metrics.count_cancelled(&due.policy);
                host::mark_cancelled(&due.policy);
                host::resume_request();
            }
            Outcome::Abort(abort) => {
                self.metrics.count_abort(&due.policy);
                self.plugin.borrow_mut().count_late_abort(&due.policy);
                host::reply(&due.policy, &abort);
            }
        }
    }

    /// Sets the timer for the next work.
    pub(super) fn set_timer(&self) {
        host::set_tick_period(self.plugin.borrow().next_tick(hostcalls::now()));
    }
}

/// Seed for a host without entropy, from the node id and both clocks.
fn weak_entropy(node: Option<&NodeId>, now: Instant) -> [u8; 32] {
    let clocks = [now.since(Instant::default()).as_nanos(), host::wall_clock().as_millis().into()];
    let [monotonic, wall] = clocks.map(u128::to_le_bytes);
    Digest::of_parts([node.map_or(&[][..], |node| node.as_str().as_bytes()), &monotonic, &wall]).into_bytes()
}
