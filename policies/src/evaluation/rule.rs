//! One rule of a program, ready to be tested against requests.

use std::{rc::Rc, time::Duration};

use super::{
    compiled_matcher::CompiledMatcher,
    decision::Decision,
    dice::{self, Dice},
    facts::Facts,
    query,
    request_view::RequestView,
};
use crate::{
    language::{
        self, Abort, Delay, Flow, HeaderName, Matcher, Mode, PatternError, Percentage, Reply, Selector,
        Source, Timestamp,
    },
    wire::SnapshotEntry,
};

/// The user agent of the kubelet's probes begins so; a fault must not make Kubernetes kill the pod.
const PROBE: &[u8] = b"kube-probe/";
const USER_AGENT: &str = "user-agent";
const GRPC: &[u8] = b"application/grpc";

#[derive(Debug)]
pub(crate) struct Rule {
    policy: Rc<str>,
    mode: Mode,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    destination: Option<Selector>,
    method: Option<CompiledMatcher>,
    path: Option<CompiledMatcher>,
    headers: Vec<(HeaderName, CompiledMatcher)>,
    query: Vec<(String, CompiledMatcher)>,
    source: Option<Source>,
    percentage: Percentage,
    sticky_by: Option<HeaderName>,
    start_delay_ms: u32,
    delay: Option<Delay>,
    abort: Option<Rc<Abort>>,
}

/// Why a rule does not apply to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// Its time has not come, or is over.
    NotInForce,
    Destination,
    Method,
    Path,
    Header(String),
    Query(String),
    Source,
    /// It aborts gRPC calls, and this is none.
    NotGrpc,
}

impl Rule {
    /// The rule at `position` of a policy's list, compiled.
    pub(crate) fn compile(entry: &SnapshotEntry, rule: &language::Rule) -> Result<Self, PatternError> {
        let (policy, matches, fault) = (&entry.policy, &rule.matches, &rule.fault);
        let compile = |matcher: &Option<Matcher>| matcher.as_ref().map(CompiledMatcher::new).transpose();
        let destination = match &policy.flow {
            Flow::Inbound => None,
            Flow::Outbound { destination } => {
                Some(destination.clone()).filter(|selector| *selector != Selector::any())
            }
        };
        Ok(Self {
            policy: policy.name.as_str().into(),
            mode: policy.mode,
            starts_at: policy.starts_at,
            ends_at: entry.end_of(fault),
            destination,
            method: compile(&matches.method)?,
            path: compile(&matches.path)?,
            headers: matches
                .headers
                .iter()
                .map(|(name, value)| Ok((name.clone(), CompiledMatcher::new(value)?)))
                .collect::<Result<_, PatternError>>()?,
            query: matches
                .query
                .iter()
                .map(|(name, value)| Ok((name.clone(), CompiledMatcher::new(value)?)))
                .collect::<Result<_, PatternError>>()?,
            source: matches.source.clone(),
            percentage: fault.percentage,
            sticky_by: fault.sticky_by.clone(),
            start_delay_ms: fault.start_delay_ms,
            delay: fault.delay,
            abort: fault.abort.clone().map(Rc::new),
        })
    }

    /// The policy that it belongs to.
    pub(crate) fn policy(&self) -> &str {
        &self.policy
    }

    /// The first condition that does not hold for a request, cheapest
    /// first; `None` if the rule applies.
    pub(crate) fn mismatch(&self, view: &RequestView<'_, impl Facts>) -> Option<Mismatch> {
        let facts = view.facts;
        let in_time =
            |now| self.starts_at.is_none_or(|start| start <= now) && self.ends_at.is_none_or(|end| now < end);
        if (self.starts_at.is_some() || self.ends_at.is_some()) && !in_time(facts.now()) {
            return Some(Mismatch::NotInForce);
        }
        if self.method.as_ref().is_some_and(|test| !test.holds(facts.method().into_iter())) {
            return Some(Mismatch::Method);
        }
        if self.path.as_ref().is_some_and(|test| !test.holds(facts.path().into_iter())) {
            return Some(Mismatch::Path);
        }
        let fails = |(name, test): &&(HeaderName, CompiledMatcher)| {
            !test.holds(facts.header(name.as_str()).into_iter())
        };
        if let Some((name, _)) = self.headers.iter().find(fails) {
            return Some(Mismatch::Header(name.to_string()));
        }
        if let Some((name, _)) = self
            .query
            .iter()
            .find(|(name, test)| !test.holds(query::values(&facts.query().unwrap_or_default(), name)))
        {
            return Some(Mismatch::Query(name.clone()));
        }
        let goes_to = |selector: &Selector| {
            let matches = |(service, namespace)| {
                selector.service.matches(service) && selector.namespace.matches(namespace)
            };
            view.callee().is_some_and(matches)
        };
        if self.destination.as_ref().is_some_and(|selector| !goes_to(selector)) {
            return Some(Mismatch::Destination);
        }
        let comes_from = |source: &Source| {
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

    /// Throws the dice for a request that the rule applies to.
    pub(crate) fn decide(&self, facts: &impl Facts, dice: &mut impl Dice) -> Option<Decision> {
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
            mode: self.mode,
            hold: Duration::from_millis(u64::from(self.start_delay_ms) + u64::from(delay_ms)),
            delayed: self.delay.is_some(),
            abort: self.abort.clone(),
        })
    }

    /// Whether its author thought of the user agent, so that probes are no accident.
    fn names_user_agent(&self) -> bool {
        self.headers.iter().any(|(name, _)| name.as_str() == USER_AGENT)
    }
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
