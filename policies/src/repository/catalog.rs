//! All files of a repository together.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    file::{File, NameUse, ParsedPolicy},
    halts::{HeldDirectories, LocatedHalt, directory},
    start::Start,
    window::{State, Window},
};
use crate::{
    automaton::Automaton,
    language::{Guardrail, Policy, PolicyName, Timestamp},
    reading::{Finding, POLICY, Place, Problem},
    wire::{Scope, Snapshot, SnapshotEntry},
};

/// The most breaches of one policy that are reported.
const MAX_REPORTED_BREACHES: usize = 20;

/// The most uses of one name that are reported.
const MAX_REPORTED_USES: usize = 20;

/// The input of a catalog.
#[derive(Debug, Default)]
pub struct Sources<'a> {
    /// The files whose policies are served, by their path.
    pub files: Vec<(&'a Arc<str>, &'a File)>,
    /// Further files, such as those in the directories above: only their guardrails and halts count.
    pub ancestors: Vec<(&'a Arc<str>, &'a File)>,
    /// The policy directory as the paths of the files have it, with its slash; empty if they are relative to it.
    pub directory: &'a str,
    /// The guardrail of the server itself.
    pub server: Guardrail,
}

/// Every policy of a repository, in the order in which they decide, and every problem.
///
/// A pure function of the files and of when their documents got their content: the same commit gives
/// the same catalog on every replica.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    policies: Vec<LocatedPolicy>,
    halts: Vec<LocatedHalt>,
    problems: Vec<Problem>,
    ignored: usize,
}

/// A policy, and the place it comes from.
#[derive(Clone, Debug)]
pub struct LocatedPolicy {
    pub file: Arc<str>,
    pub parsed: Arc<ParsedPolicy>,
    pub entry: SnapshotEntry,
    /// The start of its durations; absent when it has none.
    pub start: Option<Start>,
    /// The file of a halt that keeps it out of force.
    pub held_by: Option<Arc<str>>,
    window: Window,
}

impl Catalog {
    /// Puts files together. `started_at` says when a policy's document, in the file of that path, got
    /// its present content; it is asked only for policies whose duration counts from then.
    pub fn new(sources: &Sources<'_>, started_at: impl Fn(&str, &Policy) -> Option<Start>) -> Self {
        let mut catalog = Self::default();
        // Of a file that only guards, what is wrong matters if it may concern its guardrails or halts.
        let guards = sources.ancestors.iter().filter(|(_, file)| file.guardrails().is_none());
        for (path, file) in sources.files.iter().chain(guards) {
            let problem = |finding: &Finding| Problem { file: Arc::clone(path), finding: finding.clone() };
            catalog.problems.extend(file.findings.iter().map(problem));
        }
        for (path, file) in &sources.files {
            catalog.ignored += file.ignored;
            catalog.policies.extend(file.policies().iter().map(|parsed| {
                let start = if parsed.has_duration() { started_at(path, &parsed.policy) } else { None };
                let started_at = start.map(|start| start.at);
                let entry = SnapshotEntry { policy: Arc::clone(&parsed.policy), started_at };
                let window = parsed.window(&entry);
                let (file, parsed) = (Arc::clone(path), Arc::clone(parsed));
                LocatedPolicy { file, parsed, entry, start, held_by: None, window }
            }));
        }
        catalog.refuse_shared_names(sources);
        catalog.refuse_breaches(sources);
        catalog.hold(sources);
        catalog.policies.sort_by(|a, b| a.entry.policy.order().cmp(&b.entry.policy.order()));
        catalog.refuse_excess();
        catalog.problems.sort();
        catalog
    }

    /// A name used twice takes every document with that name out of force: none of them can be
    /// known to be the one that was meant.
    fn refuse_shared_names(&mut self, sources: &Sources<'_>) {
        let names = sources.files.iter().flat_map(|(_, file)| &file.names);
        let mut hashes: Vec<_> = names.map(|used| used.hash).collect();
        hashes.sort_unstable();
        if hashes.is_sorted_by(|one, next| one < next) {
            return;
        }
        let mut uses = BTreeMap::<(&str, &PolicyName), Vec<(&Arc<str>, Place)>>::new();
        for (path, file) in &sources.files {
            for NameUse { place, kind, name, .. } in &file.names {
                uses.entry((*kind, name)).or_default().push((path, *place));
            }
        }
        uses.retain(|_, places| places.len() > 1);
        self.policies.retain(|located| !uses.contains_key(&(POLICY, &located.entry.policy.name)));
        for ((_, name), places) in uses {
            // Each names one other: to name all of them each time grows with the square of the uses.
            for (i, (file, place)) in places.iter().enumerate().take(MAX_REPORTED_USES) {
                let Some((other, at)) = places.get(usize::from(i == 0)) else { continue };
                let more = match places.len() - 2 {
                    0 => String::new(),
                    more => format!(" and of {more} more"),
                };
                let message = format!("`{name}` is also the name of {other}:{}{more}; rename one", at.line);
                let finding = Finding { place: *place, field: "metadata.name".to_owned(), message };
                self.problems.push(Problem { file: Arc::clone(file), finding });
            }
        }
    }

    /// A policy that breaks a guardrail of its directory, or of one above, is not in force; and where it
    /// cannot be known what the guardrails are, nothing is.
    fn refuse_breaches(&mut self, sources: &Sources<'_>) {
        let files = sources.ancestors.iter().chain(&sources.files);
        let guards = files.filter_map(|(path, file)| {
            let guardrails = file.guardrails();
            let may_bind = guardrails.as_ref().is_none_or(|guardrails| !guardrails.is_empty());
            may_bind.then(|| (directory(path), path, guardrails))
        });
        let guards: Vec<_> = guards.collect();
        let server = Some(&sources.server).filter(|server| server.limits());
        if guards.is_empty() && server.is_none() {
            return;
        }
        let problems = &mut self.problems;
        self.policies.retain(|located| {
            let policy = &located.entry.policy;
            let mut guards = guards.iter().filter(|(directory, ..)| located.file.starts_with(directory));
            let unreadable = guards.clone().find(|(.., guardrails)| guardrails.is_none());
            let of_server = server.into_iter().flat_map(|server| server.breaches(policy));
            let of_server = of_server.map(|breach| (breach, "the server demands it".to_owned()));
            let breaches = guards.by_ref().flat_map(|(_, path, guardrails)| {
                let breaches = guardrails.iter().flatten().flat_map(|guardrail| guardrail.breaches(policy));
                breaches.map(move |breach| (breach, format!("a guardrail of {path} demands it")))
            });
            // Many guardrails against many rules would tell the same many times.
            let told: Vec<_> = of_server.chain(breaches).take(MAX_REPORTED_BREACHES).collect();
            let mut report = |field: String, message: String| {
                let finding = Finding { place: located.parsed.place_of(&field), field, message };
                problems.push(Problem { file: Arc::clone(&located.file), finding });
            };
            if let Some((_, path, _)) = unreadable {
                report(
                    String::new(),
                    format!("is not in force: {path} is invalid and may hold a guardrail or a halt for it"),
                );
            }
            let holds = told.is_empty() && unreadable.is_none();
            for (breach, demand) in told {
                report(breach.field, format!("{}: {demand}", breach.message));
            }
            holds
        });
    }

    /// Marks the policies that halts keep out of force, each with the file of the first that holds it.
    fn hold(&mut self, sources: &Sources<'_>) {
        let files = sources.ancestors.iter().chain(&sources.files);
        self.halts = LocatedHalt::of(files, sources.directory);
        if self.halts.is_empty() {
            return;
        }
        let held = HeldDirectories::of(&self.halts);
        for located in &mut self.policies {
            located.held_by = held.halt_of(&located.file).map(|halt| Arc::clone(&halt.file));
        }
    }

    /// Policies whose regexes would take a proxy too much memory are not in force. Those that
    /// decide first stay.
    fn refuse_excess(&mut self) {
        let mut left = Automaton::MAX_TOTAL_SIZE;
        let problems = &mut self.problems;
        self.policies.retain(|located| match left.checked_sub(located.parsed.regex_bytes()) {
            Some(rest) => {
                left = rest;
                true
            }
            None => {
                let message = format!(
                    "is not in force: with it the regexes of all policies take more than {} bytes compiled; write `exact` or `prefix` where that will do",
                    Automaton::MAX_TOTAL_SIZE
                );
                let place = located.parsed.place_of("spec.rules");
                let finding = Finding { place, field: "spec.rules".to_owned(), message };
                problems.push(Problem { file: Arc::clone(&located.file), finding });
                false
            }
        });
    }

    /// Every valid policy, whether or not it is in force.
    pub fn policies(&self) -> &[LocatedPolicy] {
        &self.policies
    }

    /// The halts, those above the policy directory first.
    pub fn halts(&self) -> &[LocatedHalt] {
        &self.halts
    }

    /// Everything that is wrong, by file and place.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The number of documents that are not hfi's.
    pub fn ignored(&self) -> usize {
        self.ignored
    }

    /// The policies in force at `now`.
    pub fn in_force(&self, now: Timestamp) -> impl Iterator<Item = &LocatedPolicy> {
        self.policies.iter().filter(move |located| located.state(now) == State::Active)
    }

    /// The snapshot of this scope at `now`.
    pub fn snapshot(&self, scope: &Scope, now: Timestamp) -> Snapshot {
        let selected =
            self.in_force(now).filter(|located| scope.is_selected_by(&located.entry.policy.selector));
        Snapshot { policies: selected.map(|located| located.entry_at(now)).collect() }
    }

    /// The next instant after `now` at which a policy comes into force or ceases to be.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        self.policies.iter().filter_map(|located| located.window.next_change(now)).min()
    }
}

impl LocatedPolicy {
    /// The policy's state at `now`.
    pub fn state(&self, now: Timestamp) -> State {
        match self.window.state(now) {
            State::Active if self.held_by.is_some() => State::Halted,
            state => state,
        }
    }

    /// The instant at which the policy comes into force; `None` if it always was.
    pub fn in_force_from(&self) -> Option<Timestamp> {
        self.window.in_force_from()
    }

    /// The entry of a snapshot at `now`. Durations that are dated in the future have no start there, so that they
    /// are over for every filter.
    pub fn entry_at(&self, now: Timestamp) -> SnapshotEntry {
        let started_at = self.entry.started_at.filter(|_| !self.window.is_dated_ahead(now));
        SnapshotEntry { policy: Arc::clone(&self.entry.policy), started_at }
    }
}
