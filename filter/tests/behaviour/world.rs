//! VMs of one proxy, their shared data, and the time.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap},
    rc::Rc,
    time::Duration,
};

use filter::{
    clock::Instant,
    config::Config,
    event::Event,
    identity::{Identity, ProxyKind},
    plugin::Plugin,
    request::{fate::Fate, held::Outcome},
    sync::{answer::Answer, poller::Poll, shared_data::SharedData},
};
use policies::{
    Catalog, Digest, Facts, File, Scope, Timestamp,
    evaluation::StaticRequest,
    repository::Sources,
    wire::{Format, PluginName, poll::NodeId},
};

/// Value and version by key.
type Values = HashMap<String, (Vec<u8>, u32)>;

/// Shared data like Envoy's: the version is checked only if there is a value already.
#[derive(Clone, Default)]
pub(crate) struct Data(Rc<Shared>);

#[derive(Default)]
struct Shared {
    values: RefCell<Values>,
    before_set: Cell<Option<Box<dyn FnOnce()>>>,
    listening: RefCell<BTreeSet<String>>,
    notified: RefCell<Vec<String>>,
}

impl Data {
    pub(crate) fn keys(&self) -> Vec<String> {
        self.0.values.borrow().keys().cloned().collect()
    }

    /// Queues with a listener.
    pub(crate) fn listening(&self) -> Vec<String> {
        self.0.listening.borrow().iter().cloned().collect()
    }

    /// Queues that were notified since the last call.
    pub(crate) fn notified(&self) -> Vec<String> {
        let mut notified = self.0.notified.take();
        notified.sort_unstable();
        notified
    }

    /// Action of another thread right before the next value is set.
    pub(crate) fn before_set(&self, act: impl FnOnce() + 'static) {
        self.0.before_set.set(Some(Box::new(act)));
    }
}

impl SharedData for Data {
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.0.values.borrow().get(key).cloned()
    }

    fn set(&self, key: &str, value: &[u8], expected: Option<u32>) -> bool {
        if let Some(act) = self.0.before_set.take() {
            act();
        }
        let mut values = self.0.values.borrow_mut();
        let version = values.get(key).map(|(_, version)| *version);
        if version.is_some() && expected.is_some() && version != expected {
            return false;
        }
        let next = values.values().map(|(_, version)| *version).max().unwrap_or(0) + 1;
        values.insert(key.to_owned(), (value.to_vec(), next));
        true
    }

    fn listen(&self, queue: &str) {
        self.0.listening.borrow_mut().insert(queue.to_owned());
    }

    fn notify(&self, queue: &str) {
        self.0.notified.borrow_mut().push(queue.to_owned());
    }
}

/// Bytes of a snapshot of these policies, for every workload.
pub(crate) fn snapshot_of(yaml: &str) -> Vec<u8> {
    encode(yaml, Format::V2)
}

/// Snapshot with one policy, which aborts every request to `service`.
pub(crate) fn snapshot(service: &str) -> Vec<u8> {
    snapshot_as(Format::V2, service)
}

/// The same in this format.
pub(crate) fn snapshot_as(format: Format, service: &str) -> Vec<u8> {
    let yaml = format!(
        "metadata: {{name: a}}\nspec: {{selector: {{service: {service}}}, rules: [{{fault: {{percentage: 100, abort: {{httpStatus: 503}}}}}}]}}"
    );
    encode(&yaml, format)
}

fn encode(yaml: &str, format: Format) -> Vec<u8> {
    let (path, file) = ("a.yaml".into(), File::read(yaml.as_bytes()));
    let catalog = Catalog::new(&Sources { files: vec![(&path, &file)], ..Sources::default() }, |_, _| None);
    assert!(catalog.problems().is_empty(), "{:?}", catalog.problems());
    catalog.snapshot(&Scope::new(["*"], ["*"]).unwrap(), Timestamp::from_millis(0)).encode(format)
}

pub(crate) fn good(body: Vec<u8>) -> Answer {
    Answer {
        status: Some("200".into()),
        etag: Some(Digest::of(&body).etag()),
        revision: Some("main@sha1:1".into()),
        content_type: None,
        is_too_large: false,
        body,
    }
}

pub(crate) fn not_modified() -> Answer {
    Answer { status: Some("304".into()), revision: Some("main@sha1:1".into()), ..Answer::default() }
}

pub(crate) fn header<'p>(poll: &'p Poll, name: &str) -> Option<&'p str> {
    poll.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

/// `checkout` in `demo`.
pub(crate) fn checkout() -> Identity {
    let scope = Scope::new(["demo"], ["checkout"]).unwrap();
    let node = NodeId::parse("sidecar~1");
    Identity { scope, kind: ProxyKind::Sidecar, node, plugin: PluginName::parse("demo/hfi"), warning: None }
}

/// VM, and its time.
pub(crate) struct World {
    pub(crate) plugin: Plugin<Data>,
    pub(crate) now: Instant,
}

impl World {
    /// Only VM of a sidecar.
    pub(crate) fn new(config: &str) -> Self {
        Self::joining(&Data::default(), config, 7, Instant::from_origin(Duration::from_secs(1_000)))
    }

    /// VM of a sidecar with this shared data and a seed of its own.
    pub(crate) fn joining(data: &Data, config: &str, seed: u8, now: Instant) -> Self {
        Self::of(checkout(), data, config, seed, now)
    }

    pub(crate) fn of(identity: Identity, data: &Data, config: &str, seed: u8, now: Instant) -> Self {
        let json = format!(r#"{{"control_plane_address": "hfi:8080"{config}}}"#);
        let config = Config::parse(json.as_bytes()).unwrap();
        Self { plugin: Plugin::new(json.as_bytes(), config, identity, data.clone(), [seed; 32], now), now }
    }

    /// VM with an active snapshot.
    pub(crate) fn active() -> Self {
        let mut world = Self::new("");
        world.until_poll();
        assert!(matches!(world.answer(good(snapshot("checkout")))[..], [Event::Updated { .. }]));
        world
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    pub(crate) fn refresh(&mut self) -> Vec<Event> {
        self.plugin.refresh(self.now)
    }

    /// Lets time pass, tick by tick, until the next poll is due; returns it, and the time that passed.
    pub(crate) fn until_poll(&mut self) -> (Poll, Duration) {
        let begun = self.now;
        loop {
            self.plugin.refresh(self.now);
            if let Some(poll) = self.plugin.next_poll(self.now) {
                return (poll, self.now.since(begun));
            }
            self.now = self.now + self.plugin.next_tick(self.now);
            assert!(self.now.since(begun) < Duration::from_secs(120), "no poll");
        }
    }

    pub(crate) fn answer(&mut self, answer: Answer) -> Vec<Event> {
        self.plugin.handle_answer(answer, self.now)
    }

    pub(crate) fn injects(&mut self) -> bool {
        self.injects_through("", &StaticRequest::default())
    }

    pub(crate) fn injects_through(&mut self, filter_chain: &str, facts: &impl Facts) -> bool {
        self.plugin.decide(facts, || Some(filter_chain.into())).is_some()
    }

    /// A request with this path comes: the fate that it is chosen for, if it is.
    pub(crate) fn serve(&mut self, context_id: u32, path: &str) -> Option<Fate> {
        let request = StaticRequest { target: Some(path.to_owned()), ..StaticRequest::default() };
        let decision = self.plugin.decide(&request, || None)?;
        let fate = self.plugin.fate(&decision);
        if fate == Fate::Hold {
            self.plugin.hold(context_id, decision, self.now, Timestamp::from_millis(0));
        }
        Some(fate)
    }

    /// Releases the requests that are due; returns the policies that abort one.
    pub(crate) fn release(&mut self) -> Vec<Rc<str>> {
        let due = self.plugin.take_due(self.now).into_iter();
        let aborted = due.filter(|due| matches!(due.outcome, Outcome::Abort(_))).map(|due| due.policy);
        aborted.inspect(|policy| self.plugin.count_late_abort(policy)).collect()
    }

    /// Number of policies in force.
    pub(crate) fn policies(&self) -> usize {
        self.plugin.active_policies(Timestamp::from_millis(0))
    }
}
