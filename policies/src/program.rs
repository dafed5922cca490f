//! A snapshot compiled for one workload, and how it decides.

use std::{rc::Rc, time::Duration};

use crate::{
    decision::Decision,
    dice::Dice,
    facts::Facts,
    matcher::{PatternError, Test},
    name::HeaderName,
    percentage::Percentage,
    policy::{Abort, Match},
    scope::Scope,
    snapshot::{Entry, Snapshot},
    time::Timestamp,
};

/// The user agent of the kubelet's probes begins so; a fault must not make Kubernetes kill the pod.
const PROBE: &[u8] = b"kube-probe/";
const USER_AGENT: &str = "user-agent";

/// The rules that can apply to one workload, ready to be evaluated.
///
/// Building one can fail; running one cannot.
#[derive(Debug, Default)]
pub struct Program {
    rules: Vec<Rule>,
    policies: usize,
}

#[derive(Debug)]
struct Rule {
    policy: Rc<str>,
    ends_at: Option<Timestamp>,
    method: Option<Test>,
    path: Option<Test>,
    headers: Vec<(HeaderName, Test)>,
    percentage: Percentage,
    hold: Duration,
    delayed: bool,
    abort: Option<Rc<Abort>>,
}

/// Why a snapshot cannot be run.
#[derive(Debug, thiserror::Error)]
#[error("policy `{policy}`: a matcher {error}")]
pub struct ProgramError {
    policy: String,
    error: PatternError,
}

impl Program {
    /// Compiles the policies of `snapshot` that select the workload, and no others, whatever the
    /// snapshot was made for.
    pub fn compile(snapshot: &Snapshot, workload: &Scope) -> Result<Self, ProgramError> {
        let mut program = Self::default();
        for entry in snapshot.policies.iter().filter(|entry| workload.is_selected_by(&entry.policy.selector))
        {
            let rules = compile_rules(entry)
                .map_err(|error| ProgramError { policy: entry.policy.name.to_string(), error })?;
            program.rules.extend(rules);
            program.policies += 1;
        }
        Ok(program)
    }

    /// Whether no request can get a fault.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// How many policies can apply to the workload.
    pub fn policies(&self) -> usize {
        self.policies
    }

    /// What is to happen to a request: the first rule in force that matches decides, whether or not
    /// its dice fall.
    pub fn decide(&self, facts: &impl Facts, dice: &mut impl Dice) -> Option<Decision> {
        let rule = self.rules.iter().find(|rule| rule.is_in_force(facts) && rule.matches(facts))?;
        if !dice.falls_within(rule.percentage) || (!rule.names_user_agent() && is_probe(facts)) {
            return None;
        }
        Some(Decision {
            policy: Rc::clone(&rule.policy),
            hold: rule.hold,
            delayed: rule.delayed,
            abort: rule.abort.clone(),
        })
    }
}

fn compile_rules(entry: &Entry) -> Result<Vec<Rule>, PatternError> {
    let policy: Rc<str> = entry.policy.name.as_str().into();
    let compile = |rule: &crate::policy::Rule| {
        let (Match { method, path, headers }, fault) = (&rule.matches, &rule.fault);
        let header = |header: &crate::policy::HeaderMatch| Ok((header.name.clone(), header.value.compile()?));
        Ok(Rule {
            policy: Rc::clone(&policy),
            ends_at: entry.end_of(fault.duration_seconds),
            method: method.as_ref().map(|matcher| matcher.compile()).transpose()?,
            path: path.as_ref().map(|matcher| matcher.compile()).transpose()?,
            headers: headers.iter().map(header).collect::<Result<_, _>>()?,
            percentage: fault.percentage,
            hold: Duration::from_millis(
                u64::from(fault.start_delay_ms) + u64::from(fault.delay_ms.unwrap_or_default()),
            ),
            delayed: fault.delay_ms.is_some(),
            abort: fault.abort.clone().map(Rc::new),
        })
    };
    entry.policy.rules.iter().map(compile).collect()
}

impl Rule {
    fn is_in_force(&self, facts: &impl Facts) -> bool {
        self.ends_at.is_none_or(|end| facts.now() < end)
    }

    fn matches(&self, facts: &impl Facts) -> bool {
        self.method.as_ref().is_none_or(|test| facts.method().is_some_and(|value| test.holds(&value)))
            && self.path.as_ref().is_none_or(|test| facts.path().is_some_and(|value| test.holds(&value)))
            && self
                .headers
                .iter()
                .all(|(name, test)| facts.header(name.as_str()).is_some_and(|value| test.holds(&value)))
    }

    /// Whether its author thought of the user agent, so that probes are no accident.
    fn names_user_agent(&self) -> bool {
        self.headers.iter().any(|(name, _)| name.as_str() == USER_AGENT)
    }
}

fn is_probe(facts: &impl Facts) -> bool {
    facts.header(USER_AGENT).is_some_and(|agent| agent.starts_with(PROBE))
}
