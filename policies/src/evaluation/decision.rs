//! The decision on a request.

use std::{rc::Rc, time::Duration};

use super::rule_id::RuleId;
use crate::language::{Abort, Mode, Timestamp};

/// The outcome for a request that a rule applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request gets no fault: the rule's percentage does not choose it, or it is a probe.
    Spared {
        policy: Rc<str>,
        /// The position of the policy in its snapshot.
        position: usize,
    },
    Chosen(Decision),
}

impl Outcome {
    /// The fault that the request gets.
    pub fn decision(self) -> Option<Decision> {
        match self {
            Self::Spared { .. } => None,
            Self::Chosen(decision) => Some(decision),
        }
    }
}

/// A fault: wait, then abort, or go on to the workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The policy that decided.
    pub policy: Rc<str>,
    /// The position of that policy in its snapshot.
    pub position: usize,
    /// The rule of that policy that decided; `None` if it holds no request.
    pub rule: Option<RuleId>,
    /// The time at which the rule ends; `None` is without end.
    pub ends_at: Option<Timestamp>,
    /// Inject the fault, or only count it.
    pub mode: Mode,
    /// The time to hold the request: the rule's start delay and its delay together.
    pub hold: Duration,
    /// True if the rule has a `delay`, so that the hold is counted as one.
    pub delayed: bool,
    /// The reply to give instead of the workload's.
    pub abort: Option<Rc<Abort>>,
}
