//! What becomes of a request that is chosen for a fault.

use std::rc::Rc;

use policies::{
    Decision,
    language::{Abort, Mode},
};

use super::counts::RequestCounts;

/// What becomes of a request that is chosen for a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The policy is in shadow mode: the request continues, and its fault is only counted.
    Shadow,
    /// The filter answers in place of the workload.
    Abort(Rc<Abort>),
    /// The request is held.
    Hold,
    /// The request continues, since too many are held.
    Overflow,
    /// The request continues: its delay is zero.
    Continue,
}

impl Fate {
    /// Fate of a request in a root that is full or not.
    pub fn of(decision: &Decision, is_full: bool) -> Self {
        match &decision.abort {
            _ if decision.mode == Mode::Shadow => Self::Shadow,
            Some(abort) if decision.hold.is_zero() => Self::Abort(Rc::clone(abort)),
            None if decision.hold.is_zero() => Self::Continue,
            _ if is_full => Self::Overflow,
            _ => Self::Hold,
        }
    }

    /// Counts the request for its policy.
    pub fn count(&self, decision: &Decision, counts: &mut RequestCounts) {
        counts.count_decided(decision, |counts| &mut counts.chosen);
        counts.count_decided(
            decision,
            match self {
                Self::Shadow => |counts| &mut counts.shadow,
                Self::Abort(_) => |counts| &mut counts.aborts,
                Self::Hold if decision.delayed => |counts| &mut counts.delays,
                Self::Overflow => |counts| &mut counts.overflow,
                Self::Hold | Self::Continue => return,
            },
        );
    }
}
