//! The gate that every publication passes: the one owner of what is in force, and of the holds on it.
//!
//! A hold needs neither Git nor a reconcile that comes to an end: the whole stays here, and is served as soon as
//! the last hold ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use policies::{Digest, Timestamp};

use super::{
    published::{Holds, Publication, Published, Whole},
    publisher::Publisher,
    turn::OneAtATime,
};
use crate::{
    clock::now,
    source::{Revision, ancestry::Ancestry},
};

/// The only writer of a [`Publisher`].
#[derive(Debug)]
pub struct Gate {
    publisher: Arc<Publisher>,
    clock: fn() -> Timestamp,
    /// Taken before the state, and held until the change of it is served.
    turn: OneAtATime,
    /// Never locked for long.
    state: Mutex<State>,
}

/// The cause of a halt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halter {
    /// The halt file.
    File,
    /// A request by HTTP, here or at another replica.
    Request,
}

#[derive(Debug)]
struct State {
    whole: Option<Whole>,
    holds: Holds,
    /// The reason why there is no whole.
    reason: String,
    /// False from a change until it is served.
    is_served: bool,
}

/// The holds after a change, and the reason that is told of what went by it.
struct Change {
    holds: Holds,
    because: Option<String>,
}

impl Default for Gate {
    /// Nothing is in force, and nothing is held.
    fn default() -> Self {
        Self::by(now)
    }
}

impl Gate {
    /// The same by a clock.
    pub(crate) fn by(clock: fn() -> Timestamp) -> Self {
        let reason = "nothing has been loaded yet".to_owned();
        let state = State { whole: None, holds: Holds::default(), reason, is_served: true };
        Self { publisher: Arc::default(), clock, turn: OneAtATime::default(), state: Mutex::new(state) }
    }

    /// The hub where readers see what this lets through.
    pub fn publisher(&self) -> &Arc<Publisher> {
        &self.publisher
    }

    /// The newest whole, held or not.
    pub fn whole(&self) -> Option<Whole> {
        self.lock().whole.clone()
    }

    /// The reason why the whole is withdrawn, if it is.
    pub fn withdrawn(&self) -> Option<String> {
        self.lock().holds.withdrawn.clone()
    }

    /// The next instant at which a policy starts or ends; none while the whole is withdrawn.
    pub fn next_change(&self) -> Option<Timestamp> {
        let state = self.lock();
        let whole = state.whole.as_ref().filter(|_| state.holds.withdrawn.is_none())?;
        whole.catalog.next_change(whole.at)
    }

    /// Replaces the whole, withdrawn or not; the number of scopes whose bytes changed.
    pub fn publish(&self, whole: Whole, withdrawn: Option<String>) -> usize {
        let change = |holds: &Holds| Holds { withdrawn: withdrawn.clone(), ..holds.clone() };
        self.change(Some(whole), |state| Some(Change::to(change(&state.holds)))).unwrap_or_default()
    }

    /// Sets the reason why nothing is in force; a whole that is here stays.
    pub fn not_yet(&self, reason: String) {
        // Otherwise a halt that ends meanwhile would tell the earlier reason last.
        self.turn.take(|| {
            self.lock().reason.clone_from(&reason);
            self.publisher.not_yet(reason);
        });
    }

    /// True if a halt holds everything, whoever has begun it.
    pub fn is_halted(&self) -> bool {
        self.lock().holds.halted()
    }

    /// Begins or ends the halt of somebody; whether that changes anything. Each has a halt of its own.
    pub fn halt(&self, halter: Halter, halted: bool) -> bool {
        self.halt_by(halter, || (halted, None))
    }

    /// The same by what holds when the turn has come: true if there is a halt, and the reason that is told of what goes.
    pub fn halt_by(&self, halter: Halter, halting: impl Fn() -> (bool, Option<String>)) -> bool {
        let changed = self.change(None, |state| {
            let (halted, because) = halting();
            let holds = state.holds.with(halter, halted);
            (holds != state.holds).then_some(Change { holds, because })
        });
        changed.is_some()
    }

    /// Withdraws the whole for a reason, or ends that; whether that changes anything.
    pub fn withdraw(&self, reason: Option<String>) -> bool {
        let changed = self.change(None, |state| {
            let is_news = state.whole.is_some() && state.holds.withdrawn != reason;
            is_news.then(|| Change::to(Holds { withdrawn: reason.clone(), ..state.holds.clone() }))
        });
        changed.is_some()
    }

    /// Starts and ends the policies whose instant has come; the number of scopes whose bytes changed.
    pub fn catch_up_with_the_clock(&self) -> usize {
        self.change(None, |state| Some(Change::to(state.holds.clone()))).unwrap_or_default()
    }

    /// Changes what is in force, and returns when that is served: the number of scopes whose bytes changed; `None` if there is
    /// nothing to change. `change` must not come back here.
    fn change(&self, whole: Option<Whole>, change: impl Fn(&State) -> Option<Change>) -> Option<usize> {
        let is_served = |state: &State| change(state).is_none() && state.is_served;
        // Without a turn: nearly all that asks changes nothing.
        if whole.is_none() && is_served(&self.lock()) {
            return None;
        }
        self.turn.take(|| {
            let (publication, because) = {
                let mut state = self.lock();
                let Change { holds, because } = match change(&state) {
                    Some(change) => change,
                    None if state.is_served => return None,
                    // What another one has changed, and could not serve.
                    None => Change::to(state.holds.clone()),
                };
                state.holds = holds;
                state.whole = whole.or(state.whole.take());
                state.is_served = false;
                // A policy may have ended since the whole was read, or published.
                state.set_time((self.clock)());
                (state.publication(), because)
            };
            let changed = self.show(publication);
            if let Some(because) = because {
                self.publisher.turnover.explain_halt(&because);
            }
            self.lock().is_served = true;
            Some(changed)
        })
    }

    fn show(&self, publication: Publication) -> usize {
        match publication {
            Publication::Serving(published) => self.publisher.publish(published),
            Publication::Starting { reason } => {
                self.publisher.stop(reason);
                0
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it was held leaves whole fields behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Change {
    /// These holds, and nothing to tell of them.
    fn to(holds: Holds) -> Self {
        Self { holds, because: None }
    }
}

impl Holds {
    /// The same with the halt of somebody, or without.
    fn with(&self, halter: Halter, halted: bool) -> Self {
        match halter {
            Halter::File => Self { file: halted, ..self.clone() },
            Halter::Request => Self { request: halted, ..self.clone() },
        }
    }
}

impl State {
    fn set_time(&mut self, at: Timestamp) {
        if let Some(whole) = &mut self.whole {
            whole.at = at;
        }
    }

    /// All that readers see, by the state alone.
    fn publication(&self) -> Publication {
        let holds = self.holds.clone();
        match &self.whole {
            Some(whole) => Publication::Serving(Arc::new(Published::new(whole.clone(), holds))),
            // To be halted is something to serve, even if the source was never read.
            None if holds.halted() => Publication::Serving(Arc::new(Published::new(never_read(), holds))),
            None => Publication::Starting { reason: self.reason.clone() },
        }
    }
}

/// An empty whole, served under a halt before the source was ever read.
fn never_read() -> Whole {
    Whole {
        revision: Revision::new(format!("halt@{}", Digest::of(b""))),
        ancestry: Ancestry::default(),
        signed: None,
        catalog: Arc::default(),
        at: now(),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::Arc};

    use policies::{Catalog, File, Scope, Snapshot, Timestamp, repository::Sources};
    use proptest::prelude::*;

    use super::{Gate, Halter, Publication, Whole};
    use crate::{
        serving::status::{counts, everything},
        source::{
            Revision,
            ancestry::{Ancestry, CommitId},
        },
    };

    #[derive(Clone, Debug)]
    enum Step {
        Halt(Halter, bool),
        /// A commit with as many policies, signed well or not.
        Publish(u8, bool),
        Withdraw,
        Readmit,
        NotYet,
        SetTime,
        /// The process starts again; the halt file is looked at before the state directory is served.
        Restart,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => any::<(bool, bool)>().prop_map(|(file, halted)| {
                Step::Halt(if file { Halter::File } else { Halter::Request }, halted)
            }),
            3 => (0..4_u8, any::<bool>()).prop_map(|(policies, signed)| Step::Publish(policies, signed)),
            2 => Just(Step::Withdraw),
            2 => Just(Step::Readmit),
            1 => Just(Step::NotYet),
            1 => Just(Step::SetTime),
            1 => Just(Step::Restart),
        ];
        prop::collection::vec(step, 1..24)
    }

    /// Commit `number` of the branch, with as many policies.
    fn whole(number: u8, policies: u8) -> Whole {
        let one = |i| {
            format!(
                "metadata: {{name: p{i}}}\nspec: {{selector: {{service: a}}, rules: [{{fault: {{percentage: 1, delay_ms: {}}}}}]}}\n---\n",
                1 + u16::from(number)
            )
        };
        let file = File::read((0..policies).map(one).collect::<String>().as_bytes());
        let path = "a.yaml".into();
        let sources = Sources { files: vec![(&path, &file)], ..Sources::default() };
        let commits = (0..=number).map(|number| CommitId([number; 20])).collect::<HashSet<_>>();
        Whole {
            revision: Revision::new(format!("main@sha1:{}", format!("{number:02x}").repeat(20))),
            ancestry: Ancestry::of(commits),
            signed: None,
            catalog: Catalog::new(&sources, |_, _| None).into(),
            at: Timestamp::from_millis(0),
        }
    }

    /// The state by the plainest means: what was committed last, and a switch for each hold.
    #[derive(Default)]
    struct Model {
        committed: Option<(u8, u8)>,
        file: bool,
        request: bool,
        withdrawn: bool,
    }

    impl Model {
        fn apply(&mut self, gate: &mut Gate, number: u8, step: &Step) {
            let refusal = |withdrawn: bool| withdrawn.then(|| "unsigned".to_owned());
            match *step {
                Step::Halt(halter, halted) => {
                    let known = if halter == Halter::File { &mut self.file } else { &mut self.request };
                    assert_eq!(gate.halt(halter, halted), *known != halted);
                    *known = halted;
                }
                Step::Publish(policies, signed) => {
                    gate.publish(whole(number, policies), refusal(!signed));
                    (self.committed, self.withdrawn) = (Some((number, policies)), !signed);
                }
                Step::Withdraw | Step::Readmit => {
                    let withdrawn = self.committed.is_some() && matches!(step, Step::Withdraw);
                    let reason = matches!(step, Step::Withdraw).then(|| "unsigned".to_owned());
                    assert_eq!(gate.withdraw(reason), self.withdrawn != withdrawn);
                    self.withdrawn = withdrawn;
                }
                Step::NotYet => gate.not_yet("unreachable".to_owned()),
                Step::SetTime => {
                    gate.catch_up_with_the_clock();
                }
                Step::Restart => {
                    *gate = Gate::default();
                    gate.halt(Halter::File, self.file);
                    gate.halt(Halter::Request, self.request);
                    if let Some((number, policies)) = self.committed {
                        gate.publish(whole(number, policies), refusal(self.withdrawn));
                    }
                }
            }
        }

        fn check(&self, gate: &Gate) {
            let publisher = gate.publisher();
            let halted = self.file || self.request;
            assert_eq!(gate.is_halted(), halted);
            let Publication::Serving(published) = publisher.publication() else {
                assert!(self.committed.is_none() && !halted, "a whole or a halt is something to serve");
                assert!(publisher.subscribe(Arc::new(everything().into())).is_err());
                return;
            };
            let (number, policies) = self.committed.unwrap_or_default();
            assert_eq!(published.holds.halted(), halted);
            assert_eq!(published.holds.withdrawn.is_some(), self.withdrawn);
            let scope = Scope::new(["demo"], ["a"]).unwrap();
            let body = publisher.subscribe(Arc::new(scope.clone().into())).unwrap().borrow().clone();
            let served = Snapshot::decode(&body.bytes).unwrap();
            assert_eq!(*body.revision(), published.whole.revision, "bytes and revision are of one state");
            if halted || self.withdrawn {
                assert!(served.policies.is_empty(), "something is served during a hold");
                assert!(published.served().policies().is_empty());
            } else {
                let plain = whole(number, policies).catalog.snapshot(&scope, Timestamp::from_millis(0));
                assert_eq!(served, plain, "exactly the whole is served without a hold");
            }
            if self.committed.is_some() {
                assert_eq!(published.whole.revision, whole(number, policies).revision);
                let ahead = format!("main@sha1:{}", "ff".repeat(20));
                assert!(published.whole.ancestry.is_behind(&ahead), "a hold hides the ancestors");
                assert!(!published.whole.ancestry.is_behind(published.whole.revision.as_str()));
            }
            let counted = counts(&published, None).active;
            assert_eq!(counted, if self.withdrawn { 0 } else { policies.into() }, "the report under a hold");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_hold_empties_every_snapshot_and_its_end_brings_back_exactly_the_whole(steps in steps()) {
            let (mut gate, mut model) = (Gate::default(), Model::default());
            model.check(&gate);
            for (number, step) in (1_u8..).zip(&steps) {
                model.apply(&mut gate, number, step);
                model.check(&gate);
            }
        }
    }

    #[test]
    fn a_waiting_request_is_woken_by_the_halt_and_by_its_end() {
        let gate = Gate::default();
        gate.publish(whole(1, 2), None);
        let mut waiting =
            gate.publisher().subscribe(Arc::new(Scope::new(["demo"], ["a"]).unwrap().into())).unwrap();
        let before = waiting.borrow_and_update().digest;
        gate.halt(Halter::Request, true);
        assert!(waiting.has_changed().unwrap());
        gate.publish(whole(1, 2), None);
        waiting.mark_unchanged();
        gate.halt(Halter::Request, false);
        assert!(waiting.has_changed().unwrap());
        assert_eq!(waiting.borrow().digest, before);
    }
}
