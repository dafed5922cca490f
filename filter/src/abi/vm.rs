//! One VM: its root contexts, and the root of each stream.

use std::{cell::RefCell, rc::Rc};

use proxy_wasm::types::Action;

use super::{host, root::Root, stream};
use crate::{config::Config, event::Level, request::streams::Streams};

/// Root contexts of a worker thread, one for each plugin and configuration.
#[derive(Default)]
pub(super) struct Vm {
    /// Roots with a valid configuration. The others do nothing.
    roots: RefCell<Vec<Rc<Root>>>,
    streams: Streams,
}

thread_local! {
    static VM: Vm = Vm::default();
}

pub(super) fn with<T>(call: impl FnOnce(&Vm) -> T) -> T {
    VM.with(call)
}

impl Vm {
    /// Records a new context, which is a stream if it has a root.
    pub(super) fn on_context_create(&self, context_id: u32, root_id: u32) {
        if root_id != 0 {
            self.streams.insert(context_id, root_id);
        }
    }

    pub(super) fn on_configure(&self, root_id: u32, size: usize) {
        let configuration = host::plugin_configuration(size);
        let mut roots = self.roots.borrow_mut();
        roots.retain(|root| {
            let is_other = root.id() != root_id;
            if !is_other {
                root.on_end();
            }
            is_other
        });
        match Config::parse(&configuration) {
            Ok(config) => roots.push(Rc::new(Root::new(root_id, &configuration, config))),
            Err(error) => {
                host::log(
                    Level::Error,
                    &format!("invalid plugin configuration, no faults will be injected: {error}"),
                );
            }
        }
    }

    pub(super) fn on_tick(&self, root_id: u32) {
        self.remove_ended_roots(root_id);
        if let Some(root) = self.root(root_id) {
            root.on_tick();
        }
    }

    /// Handles the notification of another VM. The host calls the context with the id of the root that
    /// registered, even if that root has ended.
    pub(super) fn on_queue_ready(&self, root_id: u32, queue: u32) {
        if let Some(root) = self.root(root_id) {
            host::drain(queue);
            root.refresh();
        }
    }

    /// Removes the roots that the host has removed: it does not report that.
    fn remove_ended_roots(&self, ticking: u32) {
        self.roots.borrow_mut().retain(|root| {
            let exists = root.id() == ticking || host::set_effective_context(root.id());
            if !exists {
                root.on_end();
            }
            exists
        });
        host::set_effective_context(ticking);
    }

    pub(super) fn on_request_headers(&self, context_id: u32) -> Action {
        match self.streams.root_of(context_id).and_then(|root_id| self.root(root_id)) {
            Some(root) => stream::on_request_headers(&root, context_id),
            None => Action::Continue,
        }
    }

    pub(super) fn on_http_call_response(&self, root_id: u32, token: u32, headers: usize, body_size: usize) {
        if let Some(root) = self.root(root_id) {
            root.on_http_call_response(token, headers, body_size);
        }
    }

    /// Root with this id. It is cloned, since the host can call this VM again while the root works.
    fn root(&self, root_id: u32) -> Option<Rc<Root>> {
        self.roots.borrow().iter().find(|root| root.id() == root_id).cloned()
    }
}
