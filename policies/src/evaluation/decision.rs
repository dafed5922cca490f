//! What is to happen to a request.

use std::{rc::Rc, time::Duration};

use crate::language::{Abort, Mode};

/// A fault: wait, then abort, or go on to the workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The policy that decided.
    pub policy: Rc<str>,
    /// Whether it is to be injected or only counted.
    pub mode: Mode,
    /// How long to hold the request: the rule's start delay and its delay together.
    pub hold: Duration,
    /// Whether the rule has a `delay` of its own, so that the hold counts as one.
    pub delayed: bool,
    /// The reply to give instead of the workload's.
    pub abort: Option<Rc<Abort>>,
}
