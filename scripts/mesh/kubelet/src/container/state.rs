//! The containers of a Pod as they are now.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use tokio::sync::watch;

/// The reasons of containers that have not been started.
pub(crate) const CREATING: &str = "ContainerCreating";
pub(crate) const INITIALIZING: &str = "PodInitializing";

/// A container now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    pub(crate) last: Option<Ended>,
    pub(crate) restarts: i32,
    /// The Pod's next container may start: this one has had its hook, or cannot run now.
    pub(crate) settled: bool,
    /// It has started, as far as its startup probe tells, and after its hook.
    pub(crate) started: bool,
    pub(crate) ready: bool,
}

/// What a container does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    Waiting { reason: &'static str, message: Option<String> },
    Running { since: Timestamp },
    Ended(Ended),
}

/// The end of a container.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) since: Timestamp,
    pub(crate) at: Timestamp,
    pub(crate) message: Option<String>,
}

/// The states of all containers of a Pod by their names.
pub(crate) type All = BTreeMap<String, State>;

/// Told by the containers, read by the Pod.
#[derive(Clone, Debug)]
pub(crate) struct States(watch::Sender<All>);

impl Ended {
    pub(crate) fn new(code: i32, since: Timestamp, message: Option<String>) -> Self {
        Self { code, since, at: Timestamp::now(), message }
    }
}

impl States {
    /// All of them wait.
    pub(crate) fn new<'n>(names: impl IntoIterator<Item = &'n str>, reason: &'static str) -> Self {
        let phase = Phase::Waiting { reason, message: None };
        let state = State { phase, last: None, restarts: 0, settled: false, started: false, ready: false };
        Self(watch::Sender::new(names.into_iter().map(|name| (name.to_owned(), state.clone())).collect()))
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<All> {
        self.0.subscribe()
    }

    pub(crate) fn started(&self, name: &str) -> Timestamp {
        let since = Timestamp::now();
        self.change(name, |state| state.phase = Phase::Running { since });
        since
    }

    pub(crate) fn ended(&self, name: &str, ended: Ended) {
        self.change(name, |state| {
            (state.settled, state.started, state.ready) = (true, false, false);
            state.phase = Phase::Ended(ended);
        });
    }

    pub(crate) fn waits(&self, name: &str, reason: &'static str, message: String) {
        self.change(name, |state| {
            if let Phase::Ended(ended) = &state.phase {
                state.last = Some(ended.clone());
            }
            state.settled = true;
            state.phase = Phase::Waiting { reason, message: Some(message) };
        });
    }

    /// Adds a message to a container that waits.
    pub(crate) fn says(&self, name: &str, text: String) {
        self.change(name, |state| {
            if let Phase::Waiting { message, .. } = &mut state.phase {
                *message = Some(text);
            }
        });
    }

    pub(crate) fn restarts(&self, name: &str) {
        self.change(name, |state| {
            if let Phase::Ended(ended) = &state.phase {
                state.last = Some(ended.clone());
            }
            state.restarts += 1;
        });
    }

    pub(crate) fn settled(&self, name: &str) {
        self.change(name, |state| state.settled = true);
    }

    pub(crate) fn set_started(&self, name: &str) {
        self.change(name, |state| state.started = true);
    }

    pub(crate) fn set_ready(&self, name: &str, ready: bool) {
        self.change(name, |state| state.ready = ready);
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut State)) {
        self.0.send_if_modified(|all| {
            let Some(state) = all.get_mut(name) else { return false };
            let before = state.clone();
            change(state);
            *state != before
        });
    }
}
