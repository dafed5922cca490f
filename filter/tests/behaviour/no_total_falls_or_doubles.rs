//! Whatever happens to a proxy and to its polls, what the server knows of its faults is what happened.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use filter::{clock::Instant, identity::Identity, request::fate::Fate};
use policies::{
    Digest,
    wire::{Count, FaultReport, PluginName, poll},
};
use proptest::prelude::*;

use crate::world::{Data, World, checkout, good, header, not_modified, snapshot_of};

const TICK: Duration = Duration::from_millis(200);
const SECOND: Duration = Duration::from_secs(1);

/// Number of policies; they need several reports.
const POLICIES: usize = 40;

fn name(policy: usize) -> String {
    format!("a-policy-with-a-rather-long-name-{policy:02}")
}

/// Policy for the path `/NAME`. They abort, or delay first, or only would.
fn policy(number: usize) -> String {
    let (mode, fault) = match number % 4 {
        0 => ("inject", "abort: {httpStatus: 503}"),
        1 => ("inject", "delay_ms: 300, abort: {httpStatus: 503}"),
        2 => ("inject", "delay_ms: 100"),
        _ => ("shadow", "abort: {httpStatus: 503}"),
    };
    let name = name(number);
    format!(
        "metadata: {{name: {name}}}\nspec: {{mode: {mode}, rules: [{{match: {{path: {{exact: /{name}}}}}, fault: {{percentage: 100, {fault}}}}}]}}\n---\n"
    )
}

/// Snapshot of the policies from this one on, and its ETag.
fn snapshot(from: usize) -> (Vec<u8>, String) {
    thread_local! {
        static MADE: RefCell<BTreeMap<usize, (Vec<u8>, String)>> = RefCell::default();
    }
    let make = || {
        let body = snapshot_of(&(from..POLICIES).map(policy).collect::<String>());
        let etag = Digest::of(&body).etag();
        (body, etag)
    };
    MADE.with_borrow_mut(|made| made.entry(from).or_insert_with(make).clone())
}

/// Counts by the name of a policy.
type Sums = BTreeMap<String, [u64; 6]>;

fn add(sums: &mut Sums, policy: &str, position: usize) {
    sums.entry(policy.to_owned()).or_default()[position] += 1;
}

/// One root, the poll that it has under way, and what it has counted since its last tick.
struct Root {
    world: World,
    plugin: usize,
    unticked: Sums,
}

/// A proxy, and the server that it polls.
struct Proxy {
    data: Data,
    now: Instant,
    roots: Vec<Root>,
    started: u8,
    requests: u32,
    /// What happened, without what was lost.
    happened: Sums,
    /// The last told totals.
    last: Sums,
    /// What arrived at the server, in any order.
    arrived: Vec<FaultReport>,
    served: usize,
}

/// End of a poll.
#[derive(Clone, Copy, Debug)]
enum End {
    Answered,
    /// It does not arrive.
    Lost,
    /// It arrives twice, and the answer is lost.
    Unanswered,
    /// Nothing comes, and nobody knows.
    Silent,
}

impl Proxy {
    fn new() -> Self {
        let mut proxy = Self {
            data: Data::default(),
            now: Instant::from_origin(1_000 * SECOND),
            roots: Vec::new(),
            started: 0,
            requests: 0,
            happened: Sums::new(),
            last: Sums::new(),
            arrived: Vec::new(),
            served: 0,
        };
        (0..2).for_each(|plugin| (0..2).for_each(|_| proxy.start(plugin)));
        proxy
    }

    /// A root of a plugin starts. Each plugin has a configuration of its own, and polls for itself.
    fn start(&mut self, plugin: usize) {
        self.started += 1;
        let identity = Identity { plugin: PluginName::parse(&format!("demo/p{plugin}")), ..checkout() };
        let config = format!(r#", "report_interval_seconds": {}"#, plugin + 1);
        let world = World::of(identity, &self.data, &config, self.started, self.now);
        self.roots.push(Root { world, plugin, unticked: Sums::new() });
    }

    /// The VM of a root traps: what it had not added is lost. Another one takes its place.
    fn trap(&mut self, root: usize) {
        let index = root % self.roots.len();
        let root = self.roots.remove(index);
        for (policy, counts) in root.unticked {
            let happened = self.happened.get_mut(&policy).unwrap();
            happened.iter_mut().zip(counts).for_each(|(sum, lost)| *sum -= lost);
        }
        self.start(root.plugin);
    }

    /// The configuration of a plugin changes: others take the place of its roots, which end when their listener is
    /// drained.
    fn reload(&mut self, plugin: usize, drain: u64) {
        let (old, mut rest): (Vec<_>, Vec<_>) = self.roots.drain(..).partition(|root| root.plugin == plugin);
        let (replaced, next) = (old.len(), old.first().map_or(plugin, |root| root.plugin + 2));
        rest.extend(old);
        self.roots = rest;
        (0..replaced).for_each(|_| self.start(next));
        self.pass(drain, End::Answered);
        let (old, rest) = self.roots.drain(..).partition(|root| root.plugin == plugin);
        self.roots = rest;
        for mut root in old {
            root.world.plugin.add_counts();
        }
    }

    fn request(&mut self, root: usize, policy: usize) {
        let index = root % self.roots.len();
        let Root { world, unticked, .. } = &mut self.roots[index];
        self.requests += 1;
        let name = name(policy);
        let Some(fate) = world.serve(self.requests, &format!("/{name}")) else { return };
        let counted = match fate {
            Fate::Abort(_) => 2,
            Fate::Hold => 3,
            Fate::Shadow => 4,
            Fate::Overflow => 5,
            Fate::Continue => unreachable!("all have a fault"),
        };
        for position in [0, 1, counted] {
            add(unticked, &name, position);
            add(&mut self.happened, &name, position);
        }
    }

    /// Lets time pass, with this end of each poll.
    fn pass(&mut self, ticks: u64, end: End) {
        for _ in 0..ticks {
            self.now = self.now + TICK;
            for index in 0..self.roots.len() {
                self.tick(index, end);
            }
        }
    }

    fn tick(&mut self, index: usize, end: End) {
        let Root { world, unticked, .. } = &mut self.roots[index];
        world.now = self.now;
        for policy in world.release() {
            add(&mut self.happened, &policy, 2);
        }
        world.refresh();
        unticked.clear();
        let Some(poll) = world.plugin.next_poll(self.now) else { return };
        if let Some(report) = header(&poll, poll::FAULTS) {
            let report = FaultReport::parse(report).expect("it is a report");
            for row in report.rows() {
                let counts = row.counts.into_array().map(Count::get);
                let last = self.last.insert(row.name.as_str().to_owned(), counts).unwrap_or_default();
                assert!(
                    counts.iter().zip(last).all(|(count, last)| *count >= last),
                    "{report} after {last:?}"
                );
            }
            match end {
                End::Answered => self.arrived.push(report),
                End::Unanswered => self.arrived.extend([report.clone(), report]),
                End::Lost | End::Silent => {}
            }
        }
        match end {
            End::Silent => {}
            End::Lost | End::Unanswered => drop(world.plugin.handle_failure("lost".into(), self.now)),
            End::Answered => {
                let (body, etag) = snapshot(self.served);
                let is_known = header(&poll, "if-none-match") == Some(&etag);
                world.answer(if is_known { not_modified() } else { good(body) });
            }
        }
    }

    /// What the server knows: the greatest count of each name, whatever came when, and how often.
    fn known(&self) -> Sums {
        let mut known = Sums::new();
        for report in self.arrived.iter().rev() {
            assert_eq!(report.epoch(), self.arrived[0].epoch());
            for row in report.rows() {
                let sum = known.entry(row.name.as_str().to_owned()).or_default();
                sum.iter_mut()
                    .zip(row.counts.into_array())
                    .for_each(|(sum, count)| *sum = count.get().max(*sum));
            }
        }
        known
    }
}

#[derive(Clone, Debug)]
enum Step {
    Request {
        root: usize,
        policy: usize,
    },
    Pass {
        ticks: u64,
        end: End,
    },
    Trap {
        root: usize,
    },
    Reload {
        plugin: usize,
        drain: u64,
    },
    /// The server has other policies.
    Serve {
        from: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let end = prop_oneof![Just(End::Answered), Just(End::Lost), Just(End::Unanswered), Just(End::Silent)];
    prop_oneof![
        20 => (0..8_usize, 0..POLICIES).prop_map(|(root, policy)| Step::Request { root, policy }),
        6 => (1..40_u64, end).prop_map(|(ticks, end)| Step::Pass { ticks, end }),
        1 => (0..8_usize).prop_map(|root| Step::Trap { root }),
        1 => (0..4_usize, 0..20_u64).prop_map(|(plugin, drain)| Step::Reload { plugin, drain }),
        1 => (0..20_usize).prop_map(|from| Step::Serve { from }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn all_that_was_added_is_told_at_last(steps in proptest::collection::vec(step(), 1..150)) {
        let mut proxy = Proxy::new();
        proxy.pass(20, End::Answered);
        for step in steps {
            match step {
                Step::Request { root, policy } => proxy.request(root, policy),
                Step::Pass { ticks, end } => proxy.pass(ticks, end),
                Step::Trap { root } => proxy.trap(root),
                Step::Reload { plugin, drain } => proxy.reload(plugin, drain),
                Step::Serve { from } => proxy.served = from,
            }
        }
        // Longer than the greatest pause between polls that fail, and than a poll that nobody answers.
        proxy.pass(5 * 90, End::Answered);
        proxy.happened.retain(|_, counts| *counts != [0; 6]);
        prop_assert_eq!(proxy.known(), proxy.happened);
    }
}

#[test]
fn two_roots_that_add_at_the_same_moment_are_both_counted() {
    let mut proxy = Proxy::new();
    proxy.pass(20, End::Answered);
    proxy.request(0, 0);
    proxy.request(1, 0);
    let mut second = proxy.roots.remove(1);
    second.world.now = proxy.now + TICK;
    let second = Rc::new(RefCell::new(second));
    let quicker = Rc::clone(&second);
    let then = proxy.data.clone();
    // Set in turn: the plugins and the lease, or the counts alone.
    fn at_each(data: Data, left: usize, quicker: Rc<RefCell<Root>>) {
        let then = data.clone();
        data.before_set(move || {
            quicker.borrow_mut().world.plugin.add_counts();
            if left > 0 {
                at_each(then.clone(), left - 1, quicker);
            }
        });
    }
    at_each(then, 0, quicker);
    proxy.roots[0].world.plugin.add_counts();
    drop(second);
    proxy.pass(100, End::Answered);
    assert_eq!(proxy.known(), Sums::from([(name(0), [2, 2, 2, 0, 0, 0])]));
}
