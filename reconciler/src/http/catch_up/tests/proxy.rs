//! A proxy with the filter as it is.

use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use filter::{
    clock::Instant,
    config::Config,
    identity::{Identity, ProxyKind},
    plugin::Plugin,
    sync::{answer::Answer, poller::Poll, shared_data::SharedData},
};
use policies::{Scope, evaluation::StaticRequest};

const CONFIGURATION: &[u8] = br#"{"control_plane_address": "hfi:8080", "max_staleness_seconds": 0}"#;

/// Longer than any pause between two polls, and than any lease.
const PAUSE: Duration = Duration::from_secs(60);

pub(super) struct Proxy {
    data: Data,
    plugin: Plugin<Data>,
    started: tokio::time::Instant,
    vms: u8,
}

/// Value and version by key.
type Values = HashMap<String, (Vec<u8>, u32)>;

#[derive(Clone, Default)]
struct Data(Rc<RefCell<Values>>);

impl Proxy {
    pub(super) fn start() -> Self {
        let (data, started) = (Data::default(), tokio::time::Instant::now());
        Self { plugin: plugin(&data, 0, Instant::default()), data, started, vms: 1 }
    }

    /// Another VM takes over.
    pub(super) fn replace_vm(&mut self) {
        self.plugin = plugin(&self.data, self.vms, self.now());
        self.vms += 1;
    }

    /// Waits until the next poll is due: its query and its headers.
    pub(super) async fn next_poll(&mut self) -> (String, HeaderMap) {
        tokio::time::sleep(PAUSE).await;
        let now = self.now();
        self.plugin.refresh(now);
        let Poll { headers, .. } = self.plugin.next_poll(now).expect("a poll is due");
        let path = headers.iter().find(|(name, _)| *name == ":path").unwrap().1.clone();
        let plain = headers.into_iter().filter(|(name, _)| !name.starts_with(':'));
        let plain =
            plain.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::try_from(value).unwrap()));
        (path.split_once('?').unwrap().1.to_owned(), plain.collect())
    }

    pub(super) fn take(&mut self, answer: Answer) {
        self.plugin.handle_answer(answer, self.now());
    }

    /// The policy that decides about requests.
    pub(super) fn decides(&mut self) -> Option<String> {
        let decision = self.plugin.decide(&StaticRequest::default(), || None)?;
        Some(decision.policy.to_string())
    }

    fn now(&self) -> Instant {
        Instant::from_origin(self.started.elapsed())
    }
}

fn plugin(data: &Data, seed: u8, now: Instant) -> Plugin<Data> {
    let scope = Scope::new(["demo"], ["checkout"]).unwrap();
    let identity = Identity { scope, kind: ProxyKind::Sidecar, node: None, plugin: None, warning: None };
    let config = Config::parse(CONFIGURATION).unwrap();
    Plugin::new(CONFIGURATION, config, identity, data.clone(), [seed; 32], now)
}

impl SharedData for Data {
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.0.borrow().get(key).cloned()
    }

    fn set(&self, key: &str, value: &[u8], expected: Option<u32>) -> bool {
        let mut values = self.0.borrow_mut();
        let version = values.get(key).map(|(_, version)| *version);
        if version.is_some() && expected.is_some() && version != expected {
            return false;
        }
        values.insert(key.to_owned(), (value.to_vec(), version.unwrap_or_default() + 1));
        true
    }

    fn listen(&self, _queue: &str) {}

    fn notify(&self, _queue: &str) {}
}
