//! A snapshot compiled for one workload, and how it decides.

use super::{
    decision::{Decision, Outcome},
    dice::Dice,
    mesh::Mesh,
    request_view::RequestView,
    rule::{Mismatch, Rule},
    rules::Rules,
};
use crate::{
    language::{ClusterDomain, Direction, Facts},
    wire::{Scope, Snapshot},
};

/// The rules that can apply to one workload, ready to be evaluated.
#[derive(Debug, Default)]
pub struct Program {
    rules: Directions,
    mesh: Mesh,
}

/// The rules, by the direction of the requests that they are for.
#[derive(Debug)]
enum Directions {
    Apart {
        inbound: Rules,
        outbound: Box<Rules>,
    },
    /// In one order: every request goes both ways.
    Together(Rules),
}

impl Default for Directions {
    fn default() -> Self {
        Self::Together(Rules::default())
    }
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
    /// snapshot was made for. Names are those of a mesh with the default domain.
    pub fn compile(snapshot: &Snapshot, workload: &Scope) -> Self {
        let rules = |direction| Rules::compile(snapshot, workload, Some(direction));
        let (inbound, outbound) = (rules(Direction::Inbound), rules(Direction::Outbound).into());
        Self { rules: Directions::Apart { inbound, outbound }, mesh: Self::mesh(workload) }
    }

    /// The same for a gateway, which receives each request and makes it at once.
    pub fn compile_for_gateway(snapshot: &Snapshot, gateway: &Scope) -> Self {
        let rules = Rules::compile(snapshot, gateway, None);
        Self { rules: Directions::Together(rules), mesh: Self::mesh(gateway) }
    }

    /// A program of these rules, for inbound requests.
    pub(crate) fn of(inbound: Rules, workload: &Scope) -> Self {
        Self { rules: Directions::Apart { inbound, outbound: Box::default() }, mesh: Self::mesh(workload) }
    }

    /// The program in a mesh of this domain.
    pub fn in_domain(mut self, domain: &ClusterDomain) -> Self {
        self.mesh.domain = domain.clone();
        self
    }

    fn mesh(workload: &Scope) -> Mesh {
        Mesh { namespace: workload.namespace().map(str::to_owned), domain: ClusterDomain::default() }
    }

    /// True if no request can get a fault.
    pub fn is_empty(&self) -> bool {
        match &self.rules {
            Directions::Apart { inbound, outbound } => inbound.is_empty() && outbound.is_empty(),
            Directions::Together(rules) => rules.is_empty(),
        }
    }

    /// Decides about a request: the first rule in force that matches decides, whether or not
    /// its dice fall. A request that takes too much work to match gets no fault, and so does one that another
    /// program of the proxy has decided about.
    pub fn decide(&self, facts: &impl Facts, dice: &mut impl Dice) -> Option<Decision> {
        self.outcome(facts, dice)?.decision()
    }

    /// The same, and the policy whose rule applies; `None` if no rule does, or none may decide.
    pub fn outcome(&self, facts: &impl Facts, dice: &mut impl Dice) -> Option<Outcome> {
        let view = RequestView::new(facts, &self.mesh);
        // Where all rules are for one direction, only a request that they have an answer to is asked for its own.
        let (rules, direction) = match &self.rules {
            Directions::Apart { inbound, outbound } if outbound.is_empty() => {
                (inbound, Some(Direction::Inbound))
            }
            Directions::Apart { inbound, outbound } if inbound.is_empty() => {
                (&**outbound, Some(Direction::Outbound))
            }
            Directions::Apart { .. } | Directions::Together(_) => (self.rules(facts)?, None),
        };
        let rule = rules.first(&view);
        let is_undecided = view.work.is_spent();
        if rule.is_none() && !is_undecided || direction.is_some() && direction != facts.direction() {
            return None;
        }
        if is_undecided {
            facts.give_up();
        }
        Some(rule.filter(|_| facts.claim())?.outcome(facts, dice))
    }

    /// The result of every rule for a request, in the order in which they decide.
    pub fn explain(&self, facts: &impl Facts) -> Vec<Verdict<'_>> {
        let Some(rules) = self.rules(facts) else { return Vec::new() };
        let view = || RequestView::new(facts, &self.mesh);
        let decided = view();
        rules.first(&decided);
        let all = rules.all();
        let same_policy = all.chunk_by(|a, b| a.policy() == b.policy());
        let numbered = same_policy.flat_map(|rules| rules.iter().copied().enumerate());
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
        match &self.rules {
            Directions::Together(rules) => Some(rules),
            Directions::Apart { inbound, outbound } => match facts.direction()? {
                Direction::Inbound => Some(inbound),
                Direction::Outbound => Some(outbound),
            },
        }
    }
}
