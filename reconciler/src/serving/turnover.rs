//! What came into force and went since this process started, and why.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use policies::{
    Timestamp,
    language::PolicyName,
    repository::{Changes, LocatedPolicy, State},
};

use super::published::{Publication, Published};
use crate::{
    api::overview::recent::{What, Why},
    source::Revision,
};

/// The most turns that are remembered.
const MAX_TURNS: usize = 50;
/// The most policies of a turn that are named.
const MAX_NAMES: usize = 500;

/// The last turns.
#[derive(Debug, Default)]
pub struct Turnover(Mutex<Turns>);

#[derive(Debug, Default)]
struct Turns {
    /// The oldest first.
    kept: VecDeque<Turn>,
    /// The number of the next one.
    next: u64,
    /// The number of the first one of the newest publication, which may have none.
    newest: u64,
}

/// Policies that came, changed or went at one time for one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Of all turns of this process.
    pub number: u64,
    pub at: Timestamp,
    /// The user who halted, and the reason; the reason of a withdrawal.
    pub because: Option<String>,
    /// The revision that was served before, and the one from then on.
    pub between: Option<(Revision, Revision)>,
    /// The first of them, in the order of their names.
    pub names: BTreeSet<PolicyName>,
    /// The number of all of them.
    pub total: usize,
    pub what: What,
    pub why: Why,
}

impl Turnover {
    /// The last turns, the newest first.
    pub fn turns(&self) -> Vec<Turn> {
        self.lock().kept.iter().rev().cloned().collect()
    }

    /// Adds who halted, and the reason, to what the newest publication took out of force.
    pub(super) fn explain_halt(&self, because: &str) {
        let mut turns = self.lock();
        let newest = turns.newest;
        let halted = |turn: &&mut Turn| turn.number >= newest && turn.why == Why::Halt;
        for turn in turns.kept.iter_mut().filter(halted) {
            turn.because.get_or_insert_with(|| because.to_owned());
        }
    }

    /// Notes what a publication changes. The catalogs are looked at only if it changes something.
    pub(super) fn note(&self, before: &Publication, after: &Published, changes: &Changes) {
        self.lock().begin_publication();
        if changes.arrived.is_empty() && changes.gone.is_empty() {
            return;
        }
        let mut turns = BTreeMap::<_, BTreeSet<_>>::new();
        let before = match before {
            Publication::Serving(before) => Some(Sides::of(before, after)),
            Publication::Starting { .. } => None,
        };
        for (name, what) in changed(changes) {
            let why = before.as_ref().map_or(Why::ReplicaStart, |sides| sides.why(name, what));
            turns.entry((what, why)).or_default().insert(name);
        }
        let mut kept = self.lock();
        for ((what, why), names) in turns {
            let between = before.as_ref().and_then(|sides| sides.between());
            let turn = Turn {
                number: kept.next,
                at: after.whole.at,
                because: (why == Why::Withdrawal).then(|| after.holds.withdrawn.clone()).flatten(),
                between,
                total: names.len(),
                names: names.into_iter().take(MAX_NAMES).cloned().collect(),
                what,
                why,
            };
            kept.push(turn);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turns {
    fn begin_publication(&mut self) {
        self.newest = self.next;
    }

    fn push(&mut self, turn: Turn) {
        self.next += 1;
        if self.kept.len() == MAX_TURNS {
            self.kept.pop_front();
        }
        self.kept.push_back(turn);
    }
}

/// What became of each policy.
fn changed(changes: &Changes) -> BTreeMap<&PolicyName, What> {
    let mut changed: BTreeMap<_, _> =
        changes.arrived.iter().map(|policy| (&policy.name, What::Came)).collect();
    for policy in &changes.gone {
        changed.entry(&policy.name).and_modify(|what| *what = What::Changed).or_insert(What::Went);
    }
    changed
}

/// Two publications, of which one follows the other.
struct Sides<'a> {
    before: &'a Published,
    after: &'a Published,
    were: HashMap<&'a PolicyName, &'a LocatedPolicy>,
    are: HashMap<&'a PolicyName, &'a LocatedPolicy>,
}

impl<'a> Sides<'a> {
    fn of(before: &'a Published, after: &'a Published) -> Self {
        let by_name = |published: &'a Published| {
            let policies = published.whole.catalog.policies().iter();
            policies.map(|located| (&located.entry.policy.name, located)).collect()
        };
        Self { before, after, were: by_name(before), are: by_name(after) }
    }

    /// Both revisions, if they differ.
    fn between(&self) -> Option<(Revision, Revision)> {
        let (before, after) = (&self.before.whole.revision, &self.after.whole.revision);
        (before != after).then(|| (before.clone(), after.clone()))
    }

    fn why(&self, name: &PolicyName, what: What) -> Why {
        let (was, is) = (&self.before.holds, &self.after.holds);
        if !was.any() && is.any() {
            return if is.halted() { Why::Halt } else { Why::Withdrawal };
        }
        if was.halted() && !is.any() {
            return Why::Resume;
        }
        if was.any() && !is.any() {
            return if self.between().is_none() { Why::Readmission } else { Why::Commit };
        }
        let state = |located: &&LocatedPolicy, at| located.state(at);
        let was = self.were.get(name).map(|located| state(located, self.before.whole.at));
        let is = self.are.get(name).map(|located| state(located, self.after.whole.at));
        let is_same = match (self.were.get(name), self.are.get(name)) {
            (Some(was), Some(is)) => was.entry == is.entry,
            _ => false,
        };
        match (what, was, is) {
            (What::Went, _, Some(State::Halted)) => Why::Halt,
            (What::Went, _, Some(State::Expired)) if is_same => Why::Expiry,
            (What::Came, Some(State::Halted), _) if is_same => Why::Resume,
            (What::Came, Some(State::Scheduled), _) if is_same => Why::Start,
            // Its durations count from now on, since their start is no longer ahead of the clock.
            (What::Changed, ..) if is_same => Why::Start,
            _ => Why::Commit,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, sync::Arc};

    use policies::{Catalog, File, Timestamp, repository::Sources};

    use super::{MAX_NAMES, MAX_TURNS, Turn, What, Why};
    use crate::{
        serving::{
            gate::{Gate, Halter},
            published::Whole,
        },
        source::{Revision, ancestry::Ancestry},
    };

    thread_local! {
        /// The time of the clock.
        static SECONDS: Cell<u64> = const { Cell::new(1) };
    }

    fn gate() -> Gate {
        Gate::by(|| Timestamp::from_millis(SECONDS.get() * 1_000))
    }

    /// A policy of this name with a delay of so many milliseconds.
    fn policy(name: &str, delay: u16, times: &str) -> String {
        format!(
            "metadata: {{name: {name}}}\nspec: {{{times}selector: {{service: a}}, rules: [{{fault: {{percentage: 1, delay_ms: {delay}}}}}]}}\n---\n"
        )
    }

    fn whole(revision: &str, files: &[(&str, String)]) -> Whole {
        let files: Vec<(Arc<str>, File)> =
            files.iter().map(|(path, text)| ((*path).into(), File::read(text.as_bytes()))).collect();
        let files = files.iter().map(|(path, file)| (path, file)).collect();
        let sources = Sources { files, ..Sources::default() };
        let catalog = Arc::new(Catalog::new(&sources, |_, _| None));
        assert!(catalog.problems().is_empty(), "{:?}", catalog.problems());
        let revision = Revision::new(revision.to_owned());
        Whole {
            revision,
            ancestry: Ancestry::default(),
            signed: None,
            catalog,
            at: Timestamp::from_millis(0),
        }
    }

    /// What the turns say, the oldest first.
    fn told(gate: &Gate) -> Vec<(What, Why, String)> {
        let tell = |Turn { what, why, names, .. }: Turn| {
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            (what, why, names.join(" "))
        };
        gate.publisher().turnover.turns().into_iter().rev().map(tell).collect()
    }

    #[track_caller]
    fn tells(gate: &Gate, expected: &[(What, Why, &str)]) {
        let told = told(gate);
        let told: Vec<_> = told.iter().map(|(what, why, names)| (*what, *why, names.as_str())).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn a_commit_brings_changes_and_takes_policies() {
        let gate = gate();
        gate.publish(whole("m@1", &[("a.yaml", policy("a", 1, "") + &policy("b", 1, ""))]), None);
        gate.publish(whole("m@2", &[("a.yaml", policy("a", 2, "") + &policy("c", 1, ""))]), None);
        tells(
            &gate,
            &[
                (What::Came, Why::ReplicaStart, "a b"),
                (What::Came, Why::Commit, "c"),
                (What::Changed, Why::Commit, "a"),
                (What::Went, Why::Commit, "b"),
            ],
        );
        let turns = gate.publisher().turnover.turns();
        let (before, after) = turns[0].between.clone().unwrap();
        assert_eq!((before.as_str(), after.as_str()), ("m@1", "m@2"));
        assert_eq!(turns[3].between, None);
        // What is published again changes nothing.
        gate.publish(whole("m@3", &[("a.yaml", policy("a", 2, "") + &policy("c", 1, ""))]), None);
        assert_eq!(gate.publisher().turnover.turns(), turns);
    }

    #[test]
    fn a_policy_starts_and_ends_by_the_clock() {
        let gate = gate();
        let times = "startsAt: 1970-01-01T00:01:00Z, expiresAt: 1970-01-01T00:02:00Z, ";
        gate.publish(whole("m@1", &[("a.yaml", policy("a", 1, times))]), None);
        for seconds in [60, 120] {
            SECONDS.set(seconds);
            gate.catch_up_with_the_clock();
        }
        tells(&gate, &[(What::Came, Why::Start, "a"), (What::Went, Why::Expiry, "a")]);
        assert!(gate.publisher().turnover.turns().iter().all(|turn| turn.between.is_none()));
    }

    #[test]
    fn a_suspension_and_an_end_that_is_moved_are_commits() {
        let gate = gate();
        gate.publish(whole("m@1", &[("a.yaml", policy("a", 1, "") + &policy("b", 1, ""))]), None);
        let over = "expiresAt: 1970-01-01T00:00:01Z, ";
        let files = [("a.yaml", policy("a", 1, "suspend: true, ") + &policy("b", 1, over))];
        gate.publish(whole("m@2", &files), None);
        tells(&gate, &[(What::Came, Why::ReplicaStart, "a b"), (What::Went, Why::Commit, "a b")]);
    }

    #[test]
    fn a_halt_and_a_withdrawal_take_all_and_say_why() {
        let gate = gate();
        let files = [("a.yaml", policy("a", 1, ""))];
        gate.publish(whole("m@1", &files), None);
        gate.halt_by(Halter::Request, || (true, Some("alice: a drill".to_owned())));
        gate.halt_by(Halter::Request, || (true, Some("bob: too late".to_owned())));
        gate.halt(Halter::Request, false);
        gate.withdraw(Some("unsigned".to_owned()));
        gate.withdraw(None);
        gate.publish(whole("m@1", &files), Some("unsigned".to_owned()));
        gate.publish(whole("m@2", &files), None);
        let (came, went) = (What::Came, What::Went);
        tells(
            &gate,
            &[
                (came, Why::ReplicaStart, "a"),
                (went, Why::Halt, "a"),
                (came, Why::Resume, "a"),
                (went, Why::Withdrawal, "a"),
                (came, Why::Readmission, "a"),
                (went, Why::Withdrawal, "a"),
                (came, Why::Commit, "a"),
            ],
        );
        let turns = gate.publisher().turnover.turns();
        assert_eq!(turns[5].because.as_deref(), Some("alice: a drill"));
        assert_eq!(turns[3].because.as_deref(), Some("unsigned"));
    }

    #[test]
    fn a_document_that_halts_a_directory_is_told_as_a_halt() {
        let gate = gate();
        let (a, b) = (("a/a.yaml", policy("a", 1, "")), ("b.yaml", policy("b", 1, "")));
        let halt = ("a/halt.yaml", "kind: Halt\nspec: {reason: a freeze}\n".to_owned());
        gate.publish(whole("m@1", &[a.clone(), b.clone()]), None);
        gate.publish(whole("m@2", &[a.clone(), halt, b.clone()]), None);
        gate.publish(whole("m@3", &[a, b]), None);
        tells(
            &gate,
            &[
                (What::Came, Why::ReplicaStart, "a b"),
                (What::Went, Why::Halt, "a"),
                (What::Came, Why::Resume, "a"),
            ],
        );
    }

    #[test]
    fn a_halt_that_takes_nothing_explains_no_older_one() {
        let gate = gate();
        let a = ("a.yaml", policy("a", 1, ""));
        let halt = ("halt.yaml", "kind: Halt\nspec: {reason: a freeze}\n".to_owned());
        gate.publish(whole("m@1", std::slice::from_ref(&a)), None);
        gate.publish(whole("m@2", &[a, halt]), None);
        gate.halt_by(Halter::Request, || (true, Some("alice: a drill".to_owned())));
        let newest = &gate.publisher().turnover.turns()[0];
        assert_eq!((newest.why, newest.because.as_deref()), (Why::Halt, None));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let gate = gate();
        let many: String = (0..600).map(|number| policy(&format!("p{number:03}"), 1, "")).collect();
        for round in 0..40 {
            let files = if round % 2 == 0 { vec![("a.yaml", many.clone())] } else { Vec::new() };
            gate.publish(whole(&format!("m@{round}"), &files), None);
        }
        gate.publish(whole("m@40", &[("a.yaml", many)]), None);
        for _ in 0..20 {
            gate.halt(Halter::File, true);
            gate.halt(Halter::File, false);
        }
        let turns = gate.publisher().turnover.turns();
        assert_eq!((turns.len(), turns[0].number), (MAX_TURNS, 80));
        assert!(turns.iter().all(|turn| turn.total == 600 && turn.names.len() == MAX_NAMES));
        assert_eq!(turns[0].names.first().unwrap().as_str(), "p000");
    }
}
