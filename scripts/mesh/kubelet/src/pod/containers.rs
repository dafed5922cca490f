//! The containers of a Pod: their order at the start and at the end.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Container;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::container::keep;
use crate::container::setting::Setting;
use crate::container::state::{Phase, State};
use crate::spec::lifetime::{Role, containers};

/// Tasks that keep the containers running. Dropping this ends them all.
pub(super) struct Containers {
    setting: Arc<Setting>,
    stops: Vec<(Role, String, watch::Sender<Option<Instant>>)>,
    tasks: JoinSet<String>,
    /// The names of those that do not start again.
    done: BTreeSet<String>,
}

impl Containers {
    pub(super) fn new(setting: Arc<Setting>) -> Self {
        Self { setting, stops: Vec::new(), tasks: JoinSet::new(), done: BTreeSet::new() }
    }

    /// Starts one after the other, and waits until no container runs but sidecars, and none is to start again.
    pub(super) async fn run(&mut self) {
        for (role, container) in containers(&self.setting.pod()) {
            let name = container.name.clone();
            self.start(role, container);
            match role {
                Role::Init => {
                    self.wait_for(|done| done.contains(&name)).await;
                    if !self.has_succeeded(&name) {
                        return;
                    }
                }
                Role::Sidecar => self.wait_for_state(&name, |state| state.started).await,
                Role::Main => self.wait_for_state(&name, |state| state.settled).await,
            }
        }
        self.wait_for_role(Role::Main).await;
    }

    /// Asks all to end by the deadline: sidecars after the others, the last one first.
    pub(super) async fn stop(&mut self, deadline: Instant) {
        for (role, _, stop) in &self.stops {
            if *role != Role::Sidecar {
                stop.send_replace(Some(deadline));
            }
        }
        self.wait_for_role(Role::Init).await;
        self.wait_for_role(Role::Main).await;
        let sidecars: Vec<_> = self.stops.iter().filter(|(role, ..)| *role == Role::Sidecar).collect();
        let names: Vec<_> =
            sidecars.iter().rev().map(|(_, name, stop)| (name.clone(), stop.clone())).collect();
        for (name, stop) in names {
            stop.send_replace(Some(deadline));
            self.wait_for(|done| done.contains(&name)).await;
        }
    }

    fn start(&mut self, role: Role, container: Container) {
        let (stop, stopped) = watch::channel(None);
        let name = container.name.clone();
        self.stops.push((role, name.clone(), stop));
        let setting = self.setting.clone();
        self.tasks.spawn(async move {
            keep(setting, role, container, stopped).await;
            name
        });
    }

    async fn wait_for_role(&mut self, wanted: Role) {
        let of_role = self.stops.iter().filter(|(role, ..)| *role == wanted).map(|(_, name, _)| name.clone());
        let names: Vec<_> = of_role.collect();
        self.wait_for(|done| names.iter().all(|name| done.contains(name))).await;
    }

    async fn wait_for(&mut self, enough: impl Fn(&BTreeSet<String>) -> bool) {
        while !enough(&self.done) {
            // A task that was aborted has no name, but then nobody waits here either.
            let Some(ended) = self.tasks.join_next().await else { return };
            self.done.extend(ended);
        }
    }

    async fn wait_for_state(&self, name: &str, enough: impl Fn(&State) -> bool) {
        let mut states = self.setting.states.subscribe();
        // The states live as long as the setting.
        let _ = states.wait_for(|all| all.get(name).is_some_and(&enough)).await;
    }

    fn has_succeeded(&self, name: &str) -> bool {
        let states = self.setting.states.subscribe();
        let all = states.borrow();
        matches!(all.get(name).map(|state| &state.phase), Some(Phase::Ended(ended)) if ended.code == 0)
    }
}
