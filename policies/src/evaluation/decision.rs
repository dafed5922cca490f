//! The decision on a request.

use std::{rc::Rc, time::Duration};

use crate::language::{Abort, Mode};

/// A fault: wait, then abort, or go on to the workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The policy that decided.
    pub policy: Rc<str>,
    /// Inject the fault, or only count it.
    pub mode: Mode,
    /// The time to hold the request: the rule's start delay and its delay together.
    pub hold: Duration,
    /// True if the rule has a `delay`, so that the hold is counted as one.
    pub delayed: bool,
    /// The reply to give instead of the workload's.
    pub abort: Option<Rc<Abort>>,
}
