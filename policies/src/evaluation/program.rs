//! A snapshot compiled for one workload, and how it decides.

use super::{
    decision::Decision,
    dice::Dice,
    index::Index,
    request_view::RequestView,
    rule::{Mismatch, Rule},
};
use crate::{
    language::{Direction, Facts},
    wire::{Scope, Snapshot},
};

/// The rules that can apply to one workload, ready to be evaluated.
#[derive(Debug, Default)]
pub struct Program {
    inbound: Rules,
    outbound: Rules,
    /// The workload's, to which a callee's short name belongs.
    namespace: Option<String>,
}

/// The rules for one direction, in the order in which they decide.
#[derive(Debug, Default)]
struct Rules {
    rules: Vec<Rule>,
    index: Index,
}

/// The result of one rule for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict<'p> {
    pub policy: &'p str,
    /// Its position in the policy's list, from 0.
    pub rule: usize,
    /// The reason that it does not apply; `None` if it does.
    pub mismatch: Option<Mismatch<'p>>,
}

impl Program {
    /// Compiles the policies of `snapshot` that select the workload, and no others, whatever the
    /// snapshot was made for.
    pub fn compile(snapshot: &Snapshot, workload: &Scope) -> Self {
        let selected =
            || snapshot.policies.iter().filter(|entry| workload.is_selected_by(&entry.policy.selector));
        let rules = |direction| {
            let (mut rules, mut written) = (Vec::new(), Vec::new());
            for entry in selected().filter(|entry| entry.policy.flow.direction() == direction) {
                rules.extend(Rule::compile(entry));
                written.extend(entry.policy.rules.iter().map(|rule| (&*entry.policy, rule)));
            }
            Rules { index: Index::new(written.into_iter()), rules }
        };
        Self {
            inbound: rules(Direction::Inbound),
            outbound: rules(Direction::Outbound),
            namespace: workload.namespace().map(str::to_owned),
        }
    }

    /// True if no request can get a fault.
    pub fn is_empty(&self) -> bool {
        self.inbound.is_empty() && self.outbound.is_empty()
    }

    /// Decides about a request: the first rule in force that matches decides, whether or not
    /// its dice fall. A request that takes too much work to match gets no fault.
    pub fn decide(&self, facts: &impl Facts, dice: &mut impl Dice) -> Option<Decision> {
        let view = RequestView::new(facts, self.namespace.as_deref());
        // Where all rules are for one direction, only a request that one of them applies to is asked
        // for its own.
        let goes = |direction| facts.direction() == Some(direction);
        let rule = match (self.inbound.is_empty(), self.outbound.is_empty()) {
            (true, true) => None,
            (false, true) => self.inbound.first(&view).filter(|_| goes(Direction::Inbound)),
            (true, false) => self.outbound.first(&view).filter(|_| goes(Direction::Outbound)),
            (false, false) => self.rules(facts)?.first(&view),
        };
        rule?.decide(facts, dice)
    }

    /// The result of every rule for a request, in the order in which they decide.
    pub fn explain(&self, facts: &impl Facts) -> Vec<Verdict<'_>> {
        let Some(rules) = self.rules(facts) else { return Vec::new() };
        let view = || RequestView::new(facts, self.namespace.as_deref());
        let decided = view();
        rules.first(&decided);
        let same_policy = rules.rules.chunk_by(|a, b| a.policy() == b.policy());
        let numbered = same_policy.flat_map(|rules| rules.iter().enumerate());
        let verdict = |(rule, compiled): (usize, _)| {
            // A view of its own: how much work a decision takes has been seen already.
            let mismatch = match Rule::mismatch(compiled, &view()) {
                None if decided.work.is_spent() => Some(Mismatch::TooMuchWork),
                mismatch => mismatch,
            };
            Verdict { policy: compiled.policy(), rule, mismatch }
        };
        numbered.map(verdict).collect()
    }

    fn rules(&self, facts: &impl Facts) -> Option<&Rules> {
        match facts.direction()? {
            Direction::Inbound => Some(&self.inbound),
            Direction::Outbound => Some(&self.outbound),
        }
    }
}

impl Rules {
    fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The first rule that applies.
    fn first(&self, view: &RequestView<'_, impl Facts>) -> Option<&Rule> {
        view.facts.announce(self.index.fields());
        let mut candidates =
            self.index.candidates(view).filter_map(|position| self.rules.get(position as usize));
        // Where work is spent, rules may have been passed over that would have decided.
        candidates.find(|rule| rule.mismatch(view).is_none()).filter(|_| !view.work.is_spent())
    }
}
