//! One VM: the root contexts in it, and which of them each stream belongs to.

use std::{cell::RefCell, rc::Rc};

use proxy_wasm::types::Action;

use super::{host, root::Root, stream};
use crate::{config::Config, event::Level, request::streams::Streams};

/// The root contexts of a worker thread, one for each plugin and configuration.
#[derive(Default)]
pub(super) struct Vm {
    /// Without those whose configuration cannot be used: they are inert.
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
    /// The host has made a context: a root, or the stream of one.
    pub(super) fn created(&self, context_id: u32, root_id: u32) {
        if root_id != 0 {
            self.streams.insert(context_id, root_id);
        }
    }

    pub(super) fn configure(&self, root_id: u32, size: usize) {
        let configuration = host::plugin_configuration(size);
        let mut roots = self.roots.borrow_mut();
        roots.retain(|root| root.id() != root_id);
        match Config::parse(&configuration) {
            Ok(config) => roots.push(Rc::new(Root::new(root_id, &configuration, config))),
            Err(error) => {
                host::log(Level::Error, &format!("hfi is inert, no fault will be injected: {error}"));
            }
        }
    }

    pub(super) fn tick(&self, root_id: u32) {
        self.forget_gone(root_id);
        if let Some(root) = self.root(root_id) {
            root.tick();
        }
    }

    /// Another VM has news. The host tells whatever context has the number of the root that listened,
    /// also when that root is long gone.
    pub(super) fn notified(&self, root_id: u32, queue: u32) {
        if let Some(root) = self.root(root_id) {
            host::drain(queue);
            root.look();
        }
    }

    /// Lets go of the roots that the host has let go: it does not tell.
    fn forget_gone(&self, ticking: u32) {
        self.roots.borrow_mut().retain(|root| {
            let is_there = root.id() == ticking || host::act_for(root.id());
            if !is_there {
                root.retire();
            }
            is_there
        });
        host::act_for(ticking);
    }

    pub(super) fn request(&self, context_id: u32) -> Action {
        match self.streams.root_of(context_id).and_then(|root_id| self.root(root_id)) {
            Some(root) => stream::request(&root, context_id),
            None => Action::Continue,
        }
    }

    pub(super) fn answered(&self, root_id: u32, token: u32, headers: usize, body_size: usize) {
        if let Some(root) = self.root(root_id) {
            root.answered(token, headers, body_size);
        }
    }

    /// Cloned, since what is done with it can make the host call again before it is done.
    fn root(&self, root_id: u32) -> Option<Rc<Root>> {
        self.roots.borrow().iter().find(|root| root.id() == root_id).cloned()
    }
}
