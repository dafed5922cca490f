//! A replica: the gate and the routes as they are, and the reading of a branch as the reconciler does it.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use tokio::sync::Notify;

use super::branch::{Branch, Commit};
use crate::{
    clients::Client,
    http::{
        peer::Peer,
        routes::snapshot,
        state::{Served, Services},
    },
    serving::{
        gate::{Gate, Halter},
        published::Publication,
    },
    shutdown::{self, Trigger},
    sync::requests::Syncs,
};

/// A replica: what outlives its process, and the process.
pub(super) struct Replica {
    /// It has a state directory.
    keeps_state: bool,
    saved: Cell<Option<Commit>>,
    pub(super) has_git: Cell<bool>,
    is_halted: Cell<bool>,
    is_trusted: Cell<bool>,
    process: RefCell<Rc<Process>>,
    restarted: Notify,
}

pub(super) struct Process {
    gate: Gate,
    served: Served,
    trigger: Trigger,
    /// What an earlier process left, until there is something to serve.
    restored: Cell<Option<Commit>>,
}

impl Replica {
    pub(super) fn new(keeps_state: bool) -> Self {
        let process = Process::start(false, None);
        Self {
            keeps_state,
            saved: Cell::default(),
            has_git: Cell::new(true),
            is_halted: Cell::default(),
            is_trusted: Cell::new(true),
            process: RefCell::new(process.into()),
            restarted: Notify::new(),
        }
    }

    /// The answer of the present process to a poll.
    pub(super) fn answer(&self, query: String, headers: HeaderMap) -> impl Future<Output = Response> + use<> {
        let served = self.process().served.clone();
        async move {
            snapshot::get(State(served), Peer(Client::default()), RawQuery(Some(query)), headers)
                .await
                .into_response()
        }
    }

    /// Reads the branch whenever that was requested.
    pub(super) async fn serve_requests(&self, branch: &RefCell<Branch>) {
        loop {
            let process = self.process();
            tokio::select! {
                () = process.served.syncs.due() => self.read(&branch.borrow()),
                () = self.restarted.notified() => {}
            }
        }
    }

    pub(super) fn read(&self, branch: &Branch) {
        let process = self.process();
        process.served.syncs.begin();
        if self.has_git.get() && self.is_trusted.get() {
            process.restored.take();
            process.gate.publish(branch.whole(branch.tip), None);
            process.served.syncs.succeeded(Duration::ZERO);
            self.saved.set(Some(branch.tip).filter(|_| self.keeps_state));
        } else {
            self.restore(branch);
            process.gate.not_yet("unreachable".to_owned());
            process.served.syncs.failed(Duration::ZERO, "unreachable".to_owned());
        }
    }

    pub(super) fn restore(&self, branch: &Branch) {
        let process = self.process();
        if let Some(restored) = process.restored.take() {
            process.gate.publish(branch.whole(restored), self.refusal());
            process.served.syncs.restored();
        }
    }

    pub(super) fn halt(&self, halted: bool) {
        self.is_halted.set(halted);
        self.process().gate.halt(Halter::Request, halted);
    }

    pub(super) fn trust(&self, trusted: bool) {
        self.is_trusted.set(trusted);
        self.process().gate.withdraw(self.refusal());
    }

    /// Starts another process. The one before ends, and answers who waits.
    pub(super) fn restart(&self) {
        let started = Process::start(self.is_halted.get(), self.saved.get());
        self.process.replace(started.into()).trigger.request();
        self.restarted.notify_waiters();
    }

    fn refusal(&self) -> Option<String> {
        (!self.is_trusted.get()).then(|| "nobody who may sign".to_owned())
    }

    pub(super) fn process(&self) -> Rc<Process> {
        Rc::clone(&self.process.borrow())
    }
}

impl Process {
    fn start(is_halted: bool, restored: Option<Commit>) -> Self {
        let (gate, syncs) = (Gate::default(), Syncs::default());
        gate.halt(Halter::Request, is_halted);
        let (trigger, shutdown) = shutdown::channel();
        let served = Served {
            publisher: Arc::clone(gate.publisher()),
            counters: syncs.counters.clone(),
            syncs: syncs.into(),
            shutdown,
            services: Services::default().into(),
        };
        Self { gate, served, trigger, restored: Cell::new(restored) }
    }

    /// True if every snapshot is empty. One that ends does not hear of a halt that comes later.
    pub(super) fn is_halted(&self) -> bool {
        match self.served.publisher.publication() {
            Publication::Serving(published) => published.holds.halted(),
            Publication::Starting { .. } => false,
        }
    }
}
