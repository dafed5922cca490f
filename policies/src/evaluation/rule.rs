//! One rule of a program, ready to be tested against requests.

use std::{cell::OnceCell, fmt, rc::Rc, time::Duration};

use super::{
    compiled_matcher::CompiledMatcher,
    decision::{Decision, Outcome},
    dice::{self, Dice},
    request_view::RequestView,
    rule_id::RuleId,
};
use crate::{
    language::{
        self, Abort, Condition, Delay, Destination, Facts, Fault, Flow, HeaderName, Match, Mode, Percentage,
        Policy, Reply, Source, Subject, Timestamp,
    },
    wire::SnapshotEntry,
};

/// The user agent of the kubelet's probes begins so; a fault must not make Kubernetes kill the pod.
const PROBE: &[u8] = b"kube-probe/";
const USER_AGENT: &str = "user-agent";
const GRPC: &[u8] = b"application/grpc";

/// A rule of the language with its policy's part in it, compiled.
#[derive(Debug)]
pub(crate) struct Rule {
    id: OnceCell<RuleId>,
    policy: Rc<str>,
    /// The position of its policy in the snapshot.
    position: usize,
    /// The selector and the flow of its policy.
    reach: RuleId,
    mode: Mode,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    destination: Option<Destination>,
    /// The cheapest first.
    conditions: Vec<(Subject, CompiledMatcher)>,
    source: Option<Source>,
    percentage: Percentage,
    sticky_by: Option<HeaderName>,
    start_delay_ms: u32,
    delay: Option<Delay>,
    abort: Option<Rc<Abort>>,
}

/// The first thing that keeps a rule from applying to a request. It shows itself as a sentence without its
/// subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch<'r> {
    /// It has not started, or has ended.
    NotInForce,
    Destination,
    Condition(&'r Subject),
    Source,
    /// It aborts gRPC calls, and this is none.
    NotGrpc,
    /// To match the request takes more work than a request may cause.
    TooMuchWork,
}

impl fmt::Display for Mismatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInForce => f.write_str("is not in force at that time"),
            Self::Destination => f.write_str("the destination does not match"),
            Self::Condition(subject) => write!(f, "{subject} does not match"),
            Self::Source => f.write_str("the caller does not match"),
            Self::NotGrpc => f.write_str("is for gRPC only"),
            Self::TooMuchWork => f.write_str("the request takes too much work to match: it gets no fault"),
        }
    }
}

impl Rule {
    /// Compiles the rules of the entry's policy, which is at this position of its snapshot. Each field is named: one
    /// that is not read would be ignored, and the fault injected where it should not be.
    pub(crate) fn compile(entry: &SnapshotEntry, position: usize) -> impl Iterator<Item = Self> {
        let SnapshotEntry { policy, started_at: _ } = entry;
        let Policy {
            name,
            // The program takes only the policies that select its workload, in the order of the snapshot.
            selector,
            priority: _,
            flow,
            mode,
            // What is suspended is in no snapshot.
            suspend: _,
            starts_at,
            // With `started_at` and `duration_seconds`, in `end_of`.
            expires_at: _,
            #[cfg(feature = "authoring")]
                restarted_at: _,
            rules,
        } = &**policy;
        let (name, reach) = (Rc::<str>::from(name.as_str()), RuleId::of((selector, flow)));
        let destination = match flow {
            Flow::Inbound => None,
            Flow::Outbound { destination } => Some(destination).filter(|callees| !callees.is_any()),
        };
        rules.iter().map(move |rule| {
            let language::Rule { matches: Match { conditions, source }, fault } = rule;
            let Fault { percentage, sticky_by, start_delay_ms, duration_seconds: _, delay, abort } = fault;
            Self {
                id: OnceCell::new(),
                policy: Rc::clone(&name),
                position,
                reach,
                mode: *mode,
                starts_at: *starts_at,
                ends_at: entry.end_of(fault),
                destination: destination.cloned(),
                conditions: compiled(conditions),
                source: source.clone(),
                percentage: *percentage,
                sticky_by: sticky_by.clone(),
                start_delay_ms: *start_delay_ms,
                delay: *delay,
                abort: abort.clone().map(Rc::new),
            }
        })
    }

    /// The policy that it belongs to.
    pub(crate) fn policy(&self) -> &str {
        &self.policy
    }

    /// The position of its policy in the snapshot.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// Its identity. It is worked out for rules that hold a request, and for no others.
    pub(crate) fn id(&self) -> RuleId {
        let Self {
            id,
            policy,
            // A rule stays the same when others come and go.
            position: _,
            reach,
            mode,
            starts_at: _,
            ends_at: _,
            // In `reach`.
            destination: _,
            conditions,
            source,
            percentage,
            sticky_by,
            start_delay_ms,
            delay,
            abort,
        } = self;
        let matches = (policy, reach, conditions, source);
        let fault = (mode, percentage, sticky_by, start_delay_ms, delay, abort);
        *id.get_or_init(|| RuleId::of((matches, fault)))
    }

    /// True if it holds requests.
    pub(crate) fn holds(&self) -> bool {
        self.start_delay_ms > 0 || self.delay.is_some()
    }

    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        self.ends_at
    }

    pub(crate) fn is_in_force(&self, now: Timestamp) -> bool {
        self.starts_at.is_none_or(|start| start <= now) && self.ends_at.is_none_or(|end| now < end)
    }

    /// The first condition that does not hold for a request, the cheapest first; `None` if the rule
    /// applies.
    pub(crate) fn mismatch(&self, view: &RequestView<'_, impl Facts>) -> Option<Mismatch<'_>> {
        let facts = view.facts;
        if (self.starts_at.is_some() || self.ends_at.is_some()) && !self.is_in_force(facts.now()) {
            return Some(Mismatch::NotInForce);
        }
        let fails = |(subject, matcher): &&(Subject, CompiledMatcher)| {
            !matcher.holds(view.any(subject, |value| matcher.finds(value, &view.work)))
        };
        let failing = self.conditions.iter().find(fails);
        // Then it is not known of the condition that came last.
        if view.work.is_spent() {
            return Some(Mismatch::TooMuchWork);
        }
        if let Some((subject, _)) = failing {
            return Some(Mismatch::Condition(subject));
        }
        let goes_to = |destination: &Destination| {
            view.work.count_condition();
            view.callees().any(|callee| callee.is_meant_by(destination))
        };
        if self.destination.as_ref().is_some_and(|destination| !goes_to(destination)) {
            return Some(Mismatch::Destination);
        }
        let comes_from = |source: &Source| {
            view.work.count_condition();
            let matches = |(namespace, account)| {
                source.namespace.matches(namespace) && source.service_account.matches(account)
            };
            view.caller().is_some_and(matches)
        };
        if self.source.as_ref().is_some_and(|source| !comes_from(source)) {
            return Some(Mismatch::Source);
        }
        let aborts_grpc = matches!(self.abort.as_deref(), Some(Abort { reply: Reply::Grpc { .. }, .. }));
        (aborts_grpc && !is_grpc(facts)).then_some(Mismatch::NotGrpc)
    }

    /// The outcome for a request that the rule applies to.
    pub(crate) fn outcome(&self, facts: &impl Facts, dice: &mut impl Dice) -> Outcome {
        let spared = || Outcome::Spared { policy: Rc::clone(&self.policy), position: self.position };
        self.decide(facts, dice).map_or_else(spared, Outcome::Chosen)
    }

    /// Decides by chance about a request that the rule applies to.
    fn decide(&self, facts: &impl Facts, dice: &mut impl Dice) -> Option<Decision> {
        let chosen = match &self.sticky_by {
            Some(header) => dice::sticky(&self.policy, &facts.header(header.as_str())?, self.percentage),
            None => dice.hits(self.percentage),
        };
        if !chosen || (!self.names_user_agent() && is_probe(facts)) {
            return None;
        }
        let delay_ms = self.delay.map_or(0, |delay| dice.within(delay));
        Some(Decision {
            policy: Rc::clone(&self.policy),
            position: self.position,
            rule: self.holds().then(|| self.id()),
            ends_at: self.ends_at,
            mode: self.mode,
            hold: Duration::from_millis(u64::from(self.start_delay_ms) + u64::from(delay_ms)),
            delayed: self.delay.is_some(),
            abort: self.abort.clone(),
        })
    }

    /// True if the rule has a condition on the user agent: then its author thought of probes.
    fn names_user_agent(&self) -> bool {
        self.conditions.iter().any(|(subject, _)| subject.field() == USER_AGENT)
    }
}

/// Conditions ready to be tested, the cheapest first.
fn compiled(conditions: &[Condition]) -> Vec<(Subject, CompiledMatcher)> {
    let mut compiled: Vec<(Subject, CompiledMatcher)> = Vec::with_capacity(conditions.len());
    for Condition { subject, matcher } in conditions {
        // They mostly are in this order already, which a sort does not need to be compiled into the module for.
        let at = compiled.partition_point(|(earlier, _)| earlier.cost() <= subject.cost());
        compiled.insert(at, (subject.clone(), CompiledMatcher::from(matcher)));
    }
    compiled
}

fn is_probe(facts: &impl Facts) -> bool {
    facts.header(USER_AGENT).is_some_and(|agent| agent.starts_with(PROBE))
}

/// `application/grpc`, also with a message format behind it; not `application/grpc-web`.
fn is_grpc(facts: &impl Facts) -> bool {
    facts.header("content-type").is_some_and(|value| match value.strip_prefix(GRPC) {
        // As Envoy has it, which answers in gRPC only to these.
        Some(rest) => matches!(rest.first(), None | Some(b'+')),
        None => false,
    })
}
